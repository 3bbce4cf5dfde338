# In production nothing is deleted because it is not declared. What shall go is declared with `state: absent`.
package main

import rego.v1

# Patterns of the names of accounts.
production := ["live", "prod*"]

deny contains msg if {
	some account in input.accounts
	is_production(account)
	some change in account.changes
	change.action == "delete"
	change.reason == "unmanaged"
	msg := sprintf(
		"%s: prune would delete it in a production account. Set `prune: {labels: none, leads: none}` there.",
		[change.address],
	)
}

is_production(account) if {
	some pattern in production
	glob.match(pattern, null, account.account)
}
