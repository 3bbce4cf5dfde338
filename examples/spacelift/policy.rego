# A plan policy of Spacelift: what ../policy checks, over the plan that the hook has left.
package spacelift

import rego.v1

# Most leads that may lose their label by one delete.
max_leads_of_a_deleted_label := 20

plan := input.third_party_metadata.custom.leadstate

deny contains "There is no plan of leadstate: its hook in .spacelift/config.yml did not run." if {
	not plan
}

deny contains msg if {
	some account in plan.accounts
	some change in account.changes
	change.kind == "label"
	change.action == "delete"
	change.moves_to == null
	not few_leads(change)
	msg := sprintf(
		"%s: a delete may take a label from at most %d leads. Move them: write `replace_with`.",
		[change.address, max_leads_of_a_deleted_label],
	)
}

# Fails for leads that were not counted, too.
few_leads(change) if {
	is_number(change.impact.leads)
	change.impact.leads <= max_leads_of_a_deleted_label
}

# A warning has a person confirm the run where the stack deploys by itself.
warn contains msg if {
	some account in plan.accounts
	some change in account.changes
	change.action == "delete"
	msg := sprintf("%s is deleted.", [change.address])
}
