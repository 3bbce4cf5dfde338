"""Clients of Pipedrive that others wrote and use, each in an environment of its own, against the sandbox."""

from tests.harness import outside_judges
from tests.harness.outside_judges import honestly


def test_airbyte_reads_every_lead_and_label_with_the_token_in_the_query() -> None:
    outside_judges.airbyte(honestly)


def test_api_pipedrive_python_creates_updates_and_deletes_leads_and_labels() -> None:
    outside_judges.api_pipedrive_python(honestly)


def test_pypipedrive_client_reads_every_page_and_creates_updates_and_deletes_labels() -> None:
    outside_judges.pypipedrive_client(honestly)


def test_the_daily_budget_loses_what_the_vendor_says_that_an_operation_costs() -> None:
    outside_judges.vendors_costs(honestly)


def test_more_leads_are_read_than_any_page_holds() -> None:
    leads = outside_judges.large_company()["companies"][0]["leads"]
    assert sum(not lead["is_archived"] for lead in leads) > 500
    assert any(lead["is_archived"] for lead in leads)
