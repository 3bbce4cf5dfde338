# Labels that no file declares become many, one by one.
package main

import rego.v1

# Unmanaged labels in one account above which there is a warning.
many_unmanaged_labels := 10

warn contains msg if {
	some account in input.accounts
	unmanaged := sum([untouched.count |
		some untouched in account.untouched
		untouched.kind == "label"
		untouched.reason == "unmanaged"
	])
	unmanaged > many_unmanaged_labels
	msg := sprintf(
		"%s: %d labels are unmanaged. `leadstate import` declares them.",
		[account.account, unmanaged],
	)
}
