# Names of labels are written one way. Labels that exist are left alone until somebody renames them.
package main

import rego.v1

# No small letter and no sign first, and one space between words.
label_name := `^[^a-z\s!-/:-@\[-_{-~]\S*( \S+)*$`

longest_label_name := 30

deny contains msg if {
	some [change, name] in new_names
	not regex.match(label_name, name)
	msg := sprintf(
		"%s: '%s' does not begin with a capital letter or a digit, or has more than one space between words. Correct `name`.",
		[change.address, name],
	)
}

deny contains msg if {
	some [change, name] in new_names
	count(name) > longest_label_name
	msg := sprintf(
		"%s: the name has %d characters; the longest that we use has %d. Shorten `name`.",
		[change.address, count(name), longest_label_name],
	)
}

new_names contains [change, field.after] if {
	some account in input.accounts
	some change in account.changes
	change.kind == "label"
	some field in change.fields
	field.path == "name"
	is_string(field.after)
}
