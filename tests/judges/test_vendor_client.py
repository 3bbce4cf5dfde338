"""The first outside judge: the vendor's own Node client, driving every operation of the Leads API, and the look-ups."""

from leadstate.sandbox import Sandbox
from tests.harness.outside_judges import drive_vendors_client, honestly

OPERATIONS = {
    "addLead": 3,
    "addLeadLabel": 2,
    "deleteLead": 1,
    "deleteLeadLabel": 1,
    "getArchivedLeads": 2,
    "getLead": 3,
    "getLeadLabels": 2,
    "getLeadSources": 1,
    "getLeads": 3,
    "updateLead": 2,
    "updateLeadLabel": 1,
    "getDealFields": 4,
    "getLeadFields": 1,
    "getPersons": 1,
    "searchOrganization": 2,
    "searchPersons": 1,
}


def test_the_vendors_client_understands_every_answer() -> None:
    sandbox = Sandbox("fresh")
    seen = drive_vendors_client(honestly, sandbox)

    tables = sandbox.companies[0].tables()
    assert [label["name"] for label in seen["before"]] == ["Hot", "Warm", "Cold"]
    assert seen["after"] == [label.body() for label in tables.labels]
    assert [label["name"] for label in seen["after"]] == ["Hot", "Warm", "Cold", "Partner"]
    assert seen["leads"] == [seen["lead"]] == [lead.body() for lead in tables.leads]
    assert (seen["lead"]["title"], seen["lead"]["origin_id"]) == ("Renamed", "judge:one")
    assert seen["archived"] == []
    assert {"name": "API"} in seen["sources"]
    assert seen["gone"]["error"] == "requested lead not found"
    assert seen["refused"]["error"] == "person_id or organization_id must be given"
    assert seen["unauthorized"]["errorCode"] == 401
    assert [hit["item"]["emails"] for hit in seen["hits"]] == [["jane@acme.test"]]
    assert seen["hits"][0]["item"]["organization"]["name"] == "Acme"
    assert [person["name"] for person in seen["byId"]] == ["Jane Alder", "Tom Birch"]
    assert [hit["item"]["id"] for hit in seen["acme"]] == [1]
    assert seen["tooShort"]["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
    own = [field for field in seen["fields"] if field["is_custom_field"]]
    assert [field["field_code"] for field in own] == [field.code for field in tables.fields]
    assert [field["key"] for field in seen["leadFields"] if field["edit_flag"]] == [
        field.code for field in tables.fields
    ]
    operations = sandbox.meter.report()["companies"]["7041"]["operations"]
    assert {name: count["requests"] for name, count in operations.items()} == OPERATIONS
