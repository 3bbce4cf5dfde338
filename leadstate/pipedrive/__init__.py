"""Async HTTP to one Pipedrive account. Knows operations and paths only through `Request`; knows no files, no flags."""
