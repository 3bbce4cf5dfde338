# Changes go to accounts that are known, whatever the configuration names.
package main

import rego.v1

# Hosts of the accounts, with the port where it is not 443. The last one is `leadstate sandbox`.
approved_hosts := {
	"acme-emea.pipedrive.com",
	"acme-us.pipedrive.com",
	"127.0.0.1:8765",
}

deny contains msg if {
	some account in input.accounts
	count(account.changes) > 0
	not account.company in approved_hosts
	msg := sprintf(
		"%s: %s is not an approved account. Add it to approved_hosts, or correct `domain`.",
		[account.account, account.company],
	)
}
