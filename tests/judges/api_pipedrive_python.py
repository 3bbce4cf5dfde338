"""Creates, updates and deletes leads and labels with api-pipedrive-python; prints what was sent and answered as JSON.

Usage: python api_pipedrive_python.py BASE_URL   (the token is read from PIPEDRIVE_TOKEN; the environment is
`api-pipedrive-python`)

The client has methods for leads; labels go through its own `_get`, `_post`, `_patch` and `_delete`, which those methods
call too. It sends the token in the query.
"""

import json
import os
import sys
from typing import Any

from pipedrive.client import Client
from pipedrive.exceptions import NotFoundError

COLORS = ("blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow")


class Run:
    """One run of the client, which writes down each change.

    Attributes:
        changes: `sent`, the `answer`, the object `before` (None for a new one) and when it is `read` again.

    """

    def __init__(self, url: str) -> None:
        self.client = Client(domain=url)
        self.client.set_api_token(os.environ["PIPEDRIVE_TOKEN"])
        self.changes: list[dict[str, Any]] = []
        self.gone: list[str] = []

    def label(self, sent: dict[str, Any], before: dict[str, Any] | None = None) -> Any:
        """Create or update a label; return it as it was answered."""
        url = self.client.BASE_URL + "leadLabels"
        if before is None:
            answer = self.client._post(url, json=sent)["data"]  # noqa: SLF001 (see above)
        else:
            answer = self.client._patch(f"{url}/{before['id']}", json=sent)["data"]  # noqa: SLF001
        read = [label for label in self.client._get(url)["data"] if label["id"] == answer["id"]]  # noqa: SLF001
        self.changes.append({"sent": sent, "answer": answer, "before": before, "read": read[0] if read else None})
        return answer

    def lead(self, sent: dict[str, Any], before: dict[str, Any] | None = None) -> Any:
        """Create or update a lead; return it as it was answered."""
        leads = self.client.leads
        done = leads.create_lead(sent) if before is None else leads.update_lead(before["id"], sent)
        answer = done["data"]
        read = leads.get_lead(answer["id"])["data"]
        self.changes.append({"sent": sent, "answer": answer, "before": before, "read": read})
        return answer

    def leads(self) -> list[Any]:
        """List all leads."""
        found: list[Any] = []
        start: int | None = 0
        while start is not None:
            page = self.client.leads.get_all_leads(params={"start": start, "limit": 2})
            found.extend(page["data"])
            start = page["additional_data"]["pagination"].get("next_start")
        return found

    def delete_lead(self, lead: dict[str, Any]) -> None:
        """Delete a lead, and see that it is gone."""
        self.client.leads.delete_lead(lead["id"])
        try:
            self.client.leads.get_lead(lead["id"])
        except NotFoundError:
            self.gone.append(lead["id"])


def main(url: str) -> None:
    """Run all steps."""
    run = Run(url)
    labels = [run.label({"name": f"Judge {color}", "color": color}) for color in COLORS]
    renamed = run.label({"name": "Judge renamed"}, labels[0])
    run.label({"color": "dark-gray"}, renamed)
    first, second, third = (label["id"] for label in labels[1:4])
    lead = run.lead(
        {
            "title": "Of api-pipedrive-python",
            "person_id": 1,
            "organization_id": 2,
            "owner_id": 101,
            "label_ids": [first, second],
            "value": {"amount": 1200, "currency": "EUR"},
            "expected_close_date": "2026-12-31",
            "visible_to": "3",
            "was_seen": True,
            "origin_id": "judge:api-pipedrive-python",
            "channel_id": "Fair",
        }
    )
    changes: tuple[dict[str, Any], ...] = (
        {"title": "Renamed"},
        {"label_ids": [third]},
        {"label_ids": []},
        {"value": {"amount": 10.5, "currency": "USD"}},
        {"value": None, "expected_close_date": None},
        {"was_seen": False, "visible_to": "1"},
        {"organization_id": None},
    )
    for sent in changes:
        lead = run.lead(sent, lead)
    away = run.lead({"is_archived": True}, run.lead({"title": "Away", "person_id": 1}))
    other = run.lead({"title": "Deleted", "organization_id": 1})
    listed = run.leads()
    run.delete_lead(other)
    for label in labels:
        run.client._delete(f"{run.client.BASE_URL}leadLabels/{label['id']}")  # noqa: SLF001 (see above)
    left = run.client._get(f"{run.client.BASE_URL}leadLabels")["data"]  # noqa: SLF001
    json.dump(
        {
            "changes": run.changes,
            "archived": away["id"],
            "deleted": other["id"],
            "gone": run.gone,
            "listed": listed,
            "lead": lead["id"],
            "labels": left,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1])
