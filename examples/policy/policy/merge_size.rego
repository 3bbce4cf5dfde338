# A merge writes every lead of the label: a large one is done in an hour that people choose.
package main

import rego.v1

# Most leads that one merge, or one retired label, may move.
max_leads_of_a_merge := 1000

deny contains msg if {
	some account in input.accounts
	some change in account.changes
	moves_its_leads(change)
	change.impact.leads > max_leads_of_a_merge
	msg := sprintf(
		"%s: %d leads move to %s, and a merge may move at most %d. Apply it by hand, with `--target`.",
		[change.address, change.impact.leads, change.moves_to, max_leads_of_a_merge],
	)
}

moves_its_leads(change) if {
	change.action == "delete"
	change.moves_to != null
}
