# The rate-limit tokens of an account are for everybody who works in it, all day.
package main

import rego.v1

# Tokens that one apply may spend in one account: more is refused, more than half of it is a warning.
max_tokens_of_an_account := 5000

deny contains msg if {
	some account in input.accounts
	tokens := tokens_of(account)
	tokens > max_tokens_of_an_account
	msg := sprintf(
		"%s: the changes cost %d rate-limit tokens, and one apply may spend %d. Apply them in parts, with `--target`.",
		[account.account, tokens, max_tokens_of_an_account],
	)
}

warn contains msg if {
	some account in input.accounts
	tokens := tokens_of(account)
	tokens * 2 > max_tokens_of_an_account
	tokens <= max_tokens_of_an_account
	msg := sprintf(
		"%s: the changes cost %d rate-limit tokens; one apply may spend %d.",
		[account.account, tokens, max_tokens_of_an_account],
	)
}

tokens_of(account) := sum([tokens |
	some change in account.changes
	some call in change.calls
	tokens := call.tokens * call.count
])
