# A colour means one thing in every account.
package main

import rego.v1

# Colour → patterns of the names that may have it. Colours that are not here are free.
reserved_colors := {
	"gray": ["Lost*", "Old *"],
	"red": ["Hot*", "Urgent*"],
}

deny contains msg if {
	some account in input.accounts
	some change in account.changes
	change.kind == "label"
	some field in change.fields
	field.path == "color"
	patterns := reserved_colors[field.after]
	name := name_of(account, change)
	not matches_any(patterns, name)
	for_what := concat(" or ", patterns)
	msg := concat("", [change.address, ": ", field.after, " is for labels named ", for_what, ". Choose another colour."])
}

# The name that the label gets; where that stays as it is, the name that it has.
name_of(_, change) := field.after if {
	some field in change.fields
	field.path == "name"
}

name_of(account, change) := label.name if {
	every field in change.fields {
		field.path != "name"
	}
	some label in account.labels
	label.address == change.address
}

matches_any(patterns, name) if {
	some pattern in patterns
	glob.match(pattern, null, name)
}
