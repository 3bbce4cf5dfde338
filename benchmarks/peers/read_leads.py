"""Reads all leads with a plain loop of httpx, a page after the other, and prints their number.

Usage: python read_leads.py BASE_URL   (the token is read from TOKEN: arguments show in process lists)
"""

import os
import sys

import httpx

PAGE = 500

count, start, more = 0, 0, True
with httpx.Client(base_url=sys.argv[1], headers={"x-api-token": os.environ["TOKEN"]}, trust_env=False) as http:
    while more:
        page = http.get("/api/v1/leads", params={"limit": PAGE, "start": start}).json()
        count += len(page["data"])
        more = page["additional_data"]["pagination"]["more_items_in_collection"]
        start += PAGE
print(count)
