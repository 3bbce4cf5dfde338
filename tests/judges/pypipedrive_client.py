"""Reads all leads, and creates, updates and deletes labels, with pypipedrive-client; prints what it saw as JSON.

Usage: python pypipedrive_client.py BASE_URL   (the token is read from PIPEDRIVE_API_TOKEN, as the client wants; the
environment is `pypipedrive-client`)

The client knows the vendor's host alone, so `build_url` is replaced. It sends the token in the query, goes on to the
next page while `more_items_in_collection` says so, and counts where that begins by itself.
"""

import json
import sys

from pypipedrive.api import Api
from pypipedrive.models import LeadLabels


def main(url: str) -> None:
    """Run all steps."""
    Api.build_url = lambda self, uri: f"{url}/{self.version}/{uri}"
    leads = LeadLabels.get_api().all("leads").data
    archived = LeadLabels.get_api().all("leads/archived").data
    label = LeadLabels(name="Of pypipedrive-client", color="brown")
    label.save()
    label.color = "purple"
    label.save()
    known = [(found.id, found.name, found.color) for found in LeadLabels.all()]
    label.delete()
    left = [found.id for found in LeadLabels.all()]
    json.dump({"leads": leads, "archived": archived, "label": label.id, "known": known, "left": left}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
