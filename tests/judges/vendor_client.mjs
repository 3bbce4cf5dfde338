// Drives every operation of the Leads API, and the look-ups, with the vendor's own client, and prints what came back
// as JSON.
//
// Usage: node vendor_client.mjs BASE_URL   (the token is read from PIPEDRIVE_TOKEN: arguments show in process lists)

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Configuration, LeadFieldsApi, LeadLabelsApi, LeadSourcesApi, LeadsApi } = require("pipedrive/v1");
const v2 = require("pipedrive/v2");

const config = new Configuration({ apiKey: process.env.PIPEDRIVE_TOKEN, basePath: `${process.argv[2]}/api/v1` });
const labels = new LeadLabelsApi(config);
const leads = new LeadsApi(config);
const sources = new LeadSourcesApi(config);

async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    // The vendor's client rejects with the body of the answer; anything else is a failure of another kind.
    assert.equal(error.success, false, error);
    return error;
  }
  throw new assert.AssertionError({ message: "the call should have failed" });
}

function data(answer) {
  assert.equal(answer.success, true);
  return answer.data;
}

const before = data(await labels.getLeadLabels());
const vip = data(await labels.addLeadLabel({ AddLeadLabelRequest: { name: "VIP", color: "dark-gray" } }));
assert.equal(vip.color, "dark-gray");
const renamed = data(await labels.updateLeadLabel({ id: vip.id, UpdateLeadLabelRequest: { name: "Partner" } }));
assert.deepEqual({ ...renamed, update_time: null }, { ...vip, name: "Partner", update_time: null });
const doomed = data(await labels.addLeadLabel({ AddLeadLabelRequest: { name: "Doomed", color: "pink" } }));

const request = {
  title: "From the vendor's client",
  person_id: 1,
  label_ids: [vip.id, doomed.id],
  value: { amount: 1200, currency: "EUR" },
  expected_close_date: "2026-12-31",
  origin_id: "judge:one",
};
const created = data(await leads.addLead({ AddLeadRequest: request }));
assert.deepEqual(Object.fromEntries(Object.keys(request).map((key) => [key, created[key]])), request);
assert.deepEqual(data(await leads.getLead({ id: created.id })), created);

const updated = data(await leads.updateLead({ id: created.id, UpdateLeadRequest: { title: "Renamed", value: null } }));
assert.deepEqual({ ...updated, update_time: null }, { ...created, title: "Renamed", value: null, update_time: null });

const second = data(await leads.addLead({ AddLeadRequest: { title: "Second", organization_id: 2 } }));
const page = await leads.getLeads({ limit: 1, sort: "add_time" });
assert.equal(page.data.length, 1);
assert.equal(page.additional_data.pagination.more_items_in_collection, true);
const next = await leads.getLeads({ limit: 1, start: page.additional_data.pagination.next_start });
assert.notEqual(next.data[0].id, page.data[0].id);

data(await leads.updateLead({ id: second.id, UpdateLeadRequest: { is_archived: true } }));
const archived = data(await leads.getArchivedLeads({}));
assert.deepEqual(archived.map((lead) => lead.id), [second.id]);

assert.equal(data(await labels.deleteLeadLabel({ id: doomed.id })).id, doomed.id);
const relieved = data(await leads.getLead({ id: created.id }));
assert.deepEqual(relieved.label_ids, [vip.id]);

assert.equal(data(await leads.deleteLead({ id: second.id })).id, second.id);
const gone = await rejected(leads.getLead({ id: second.id }));
const refused = await rejected(leads.addLead({ AddLeadRequest: { title: "Nobody's" } }));
const stranger = new LeadLabelsApi(new Configuration({ apiKey: "wrong", basePath: config.basePath }));
const unauthorized = await rejected(stranger.getLeadLabels());

const config2 = new v2.Configuration({ apiKey: process.env.PIPEDRIVE_TOKEN, basePath: `${process.argv[2]}/api/v2` });
const people = new v2.PersonsApi(config2);
const hits = data(await people.searchPersons({ term: "JANE@acme.test", fields: "email", exact_match: true })).items;
const byId = data(await people.getPersons({ ids: "2,1" }));
const organizations = new v2.OrganizationsApi(config2);
const acme = data(await organizations.searchOrganization({ term: "acme", fields: "name", exact_match: true })).items;
const tooShort = await rejected(organizations.searchOrganization({ term: "a" }));
const fieldsApi = new v2.DealFieldsApi(config2);
const fields = [];
for (let cursor; cursor !== null; ) {
  const answer = await fieldsApi.getDealFields({ limit: 4, ...(cursor && { cursor }) });
  fields.push(...data(answer));
  cursor = answer.additional_data.next_cursor;
}
const leadFields = data(await new LeadFieldsApi(config).getLeadFields({}));

console.log(
  JSON.stringify({
    before,
    after: data(await labels.getLeadLabels()),
    lead: relieved,
    leads: data(await leads.getLeads({})),
    archived: data(await leads.getArchivedLeads({})),
    sources: data(await sources.getLeadSources()),
    gone,
    refused,
    unauthorized,
    hits,
    byId,
    acme,
    tooShort,
    fields,
    leadFields,
  }),
);
