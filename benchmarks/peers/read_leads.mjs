// Reads all leads with the vendor's client, as its documentation does: a page after the other. Prints their number.
//
// Usage: node read_leads.mjs BASE_URL   (the token is read from TOKEN: arguments show in process lists)

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Configuration, LeadsApi } = require("pipedrive/v1");

const leads = new LeadsApi(new Configuration({ apiKey: process.env.TOKEN, basePath: `${process.argv[2]}/api/v1` }));
let count = 0;
for (let start = 0, more = true; more; start += 500) {
  const page = await leads.getLeads({ limit: 500, start });
  count += page.data.length;
  more = page.additional_data.pagination.more_items_in_collection;
}
console.log(count);
