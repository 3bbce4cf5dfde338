# A label that many leads carry is not deleted; it is merged into another one.
package main

import rego.v1

# Most leads that may lose their label by one delete.
max_leads_of_a_deleted_label := 20

deny contains msg if {
	some account in input.accounts
	some change in account.changes
	loses_its_leads(change)
	change.impact.leads > max_leads_of_a_deleted_label
	msg := sprintf(
		"%s: %d leads carry this label, and a delete may take it from at most %d. Move them: write `replace_with`, or `merge_from` at another label.",
		[change.address, change.impact.leads, max_leads_of_a_deleted_label],
	)
}

# Leads that were not counted may be many.
deny contains msg if {
	some account in input.accounts
	some change in account.changes
	loses_its_leads(change)
	not is_number(change.impact.leads)
	msg := sprintf("%s: the leads of this label were not counted. Plan with `--impact live`.", [change.address])
}

loses_its_leads(change) if {
	change.kind == "label"
	change.action == "delete"
	change.moves_to == null
}
