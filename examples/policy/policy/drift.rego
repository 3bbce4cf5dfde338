# Whoever reviews a pull request is told which changes it does not make itself. Needs `plan --base`.
package main

import rego.v1

warn contains msg if {
	some account in input.accounts
	some change in account.changes
	change.origin == "drift"
	msg := sprintf(
		"%s: this takes back what somebody did in the account. `leadstate pull` accepts it instead.",
		[change.address],
	)
}
