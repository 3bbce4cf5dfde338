"""The seeds that have a name: `empty`, `fresh` and `drifted`.

They are documents as anybody could write them, and the same ones every day: nothing here is random or reads a clock.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from uuid import UUID

from leadstate.sandbox.seeds.reading import SeedError
from leadstate.sandbox.state.checks import stamp
from leadstate.sandbox.state.records import Body

TOKEN = "sandbox-token"  # noqa: S105 (opens the embedded sandbox only)
"""The token of the one company in each named seed."""

OAUTH = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh-token"}
"""The OAuth client that it has installed."""

INDUSTRY = "3ce5b1409718d65a8adc965be1f0da8821d8b9ab"
"""The key of the custom field that some leads of `drifted` have set: one option of three."""

_HOT, _WARM, _COLD = (f"aecece6{digit}-c069-11eb-93bf-b59c4f1731e6" for digit in "012")
_VIP = "5b0f6a7e-8f1d-4c1c-9d55-2f6f0a1f7a10"
_CAMPAIGN = "c9a8d0f2-3d55-4b0e-8a1e-6f2f1b9d4e21"

_FIELDS = (
    {
        "code": INDUSTRY,
        "name": "Industry",
        "type": "enum",
        "options": [{"id": 21, "label": "Retail"}, {"id": 22, "label": "Logistics"}, {"id": 23, "label": "Health"}],
    },
    {"code": "9f2c1d0b7a6e4f3582917c0e5d4b3a2f1e0d9c8b", "name": "Score", "type": "double"},
    {"code": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "name": "Budget", "type": "monetary"},
    {
        "code": "5d3e8f7a6b1c2d4e9f0a1b3c5d7e9f1a2b4c6d8e",
        "name": "Regions",
        "type": "set",
        "options": [{"id": 31, "label": "EMEA"}, {"id": 32, "label": "Americas"}, {"id": 33, "label": "APAC"}],
    },
    {"code": "c4b5a69788796a5b4c3d2e1f0a9b8c7d6e5f4a3b", "name": "Renewal date", "type": "date"},
    {"code": "71e2d3c4b5a69788f0e1d2c3b4a5968778695a4b", "name": "Notes", "type": "text"},
)
"""The custom fields of `fresh` and `drifted`."""

_COMPANIES = (
    "Acme",
    "Borealis Foods",
    "Cedar & Sons",
    "Delta Freight",
    "Elmwood Clinics",
    "Fjord Energy",
    "Granite Works",
    "Harbour Hotels",
    "Indigo Labs",
    "Juniper Homes",
    "Kestrel Aviation",
    "Lumen Lighting",
)
_PEOPLE = (
    "Jane Alder",
    "Tom Birch",
    "Aino Kask",
    "Luis Prado",
    "Mira Novak",
    "Owen Reed",
    "Priya Shah",
    "Karl Lind",
    "Sofia Conti",
    "Noah Weiss",
    "Emma Dubois",
    "Ivo Tamm",
)
_STREETS = ("Harbour Street", "Mill Lane", "Station Road", "Old Market")
_FRONT_DESK = (8, 9)
"""Two persons who share a mailbox besides their own, as people do: an email need not tell one person."""
_TOPICS = ("renewal", "pilot", "second site", "upgrade", "service contract")
_LABELS = (
    (_COLD,),
    (),
    (_HOT,),
    (_COLD, _CAMPAIGN),
    (_WARM,),
    (_HOT, _VIP),
    (_COLD,),
    (),
    (_CAMPAIGN,),
    (_COLD, _VIP),
)
_ARCHIVED = (12, 30)
_SEEDED = {5: ("acme-renewal", "Acme renewal EMEA"), 23: ("old-seed", "Old seed")}
_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)
_OPENED = datetime(2026, 1, 12, 8, 30, tzinfo=UTC)


def named(name: str) -> Body:
    """Return a new copy of the seed with this name. Raise `SeedError` for a name that there is not."""
    try:
        return NAMED[name]()
    except KeyError:
        raise SeedError("", f"there is no seed named {name!r}; there are {', '.join(NAMED)}") from None


def _empty() -> Body:
    """Return a company with a user and nothing else."""
    return _company(users=1, contacts=0)


def _fresh() -> Body:
    """Return a company as it is on the first day: the three default labels, some contacts, no lead."""
    labels = [("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue")]
    return {
        **_company(users=2, contacts=5),
        "fields": _fields(),
        "labels": [{"name": name, "color": color} for name, color in labels],
    }


def _drifted() -> Body:
    """Return a company after some months of work: labels repainted and invented, leads in every state."""
    labels = [
        (_HOT, "Hot", "orange"),
        (_COLD, "Cold", "blue"),
        (_WARM, "Warm", "yellow"),
        (_VIP, "VIP", "purple"),
        (_CAMPAIGN, "Old campaign", "gray"),
    ]
    return {
        **_company(users=2, contacts=len(_COMPANIES)),
        "fields": _fields(),
        "labels": [
            {"id": label_id, "name": name, "color": color, "add_time": stamp(_OPENED - timedelta(days=30 - place))}
            for place, (label_id, name, color) in enumerate(labels)
        ],
        "leads": [_lead(number) for number in range(40)],
        "filters": [
            _filter(1, "Hot, this quarter", _HOT),
            _filter(2, "VIP and campaign", _VIP, _CAMPAIGN),
            {"id": 3, "name": "Open deals", "type": "deals", "add_time": stamp(_OPENED)},
        ],
    }


def _company(users: int, contacts: int) -> Body:
    people = (("Sam Rivers", "sam@acme.test"), ("Kim Vaher", "kim@acme.test"))
    return {
        "token": TOKEN,
        "oauth": dict(OAUTH),
        "company": {"id": 7041, "name": "Acme EMEA", "domain": "acme-emea"},
        "plan": "premium",
        "users": [{"id": 101 + i, "name": name, "email": email} for i, (name, email) in enumerate(people[:users])],
        "persons": [_person(place) for place in range(contacts)],
        "organizations": [_organization(place) for place in range(contacts)],
    }


def _fields() -> list[Body]:
    return deepcopy(list(_FIELDS))


def _person(place: int) -> Body:
    """Return one person, who works for the organization of the same number."""
    name, number = _PEOPLE[place], place + 1
    mailbox = f"{_COMPANIES[place].split()[0].lower()}.test"
    emails = [f"{name.split()[0].lower()}@{mailbox}"]
    if number in _FRONT_DESK:
        emails.append("frontdesk@harbour.test")
    return {
        "id": number,
        "name": name,
        "emails": emails,
        "phones": [f"+372 555 01{number:02}"],
        "organization_id": number,
    }


def _organization(place: int) -> Body:
    address = f"{place + 3} {_STREETS[place % len(_STREETS)]}, Tallinn"
    return {"id": place + 1, "name": _COMPANIES[place], "address": address}


def _lead(number: int) -> Body:
    """Return one lead of `drifted`."""
    added = _OPENED + timedelta(days=3 * number, minutes=17 * number, milliseconds=177 + number)
    place = number % len(_COMPANIES)
    lead: Body = {
        "id": _version_1(added, number),
        "title": f"{_COMPANIES[place]} {_TOPICS[number % len(_TOPICS)]}",
        "owner_id": 101 + number % 2,
        "person_id": place + 1 if number % 4 else None,
        "organization_id": place + 1,
        "label_ids": list(_LABELS[number % len(_LABELS)]),
        "value": {"amount": 1200 + 350 * number, "currency": "EUR"} if number % 3 else None,
        "expected_close_date": (added + timedelta(days=60)).date().isoformat() if number % 5 == 0 else None,
        "add_time": stamp(added),
        "update_time": stamp(added + timedelta(hours=number)),
    }
    if number % 6 == 1:
        lead[INDUSTRY] = 21 + number % 3
    if number in _ARCHIVED:
        lead |= {"is_archived": True, "archive_time": stamp(added + timedelta(days=20))}
    if number in _SEEDED:
        key, title = _SEEDED[number]
        lead |= {"origin_id": f"acme-seeds:{key}", "title": title}
    return lead


def _filter(number: int, name: str, *labels: str) -> Body:
    """Return a filter of leads that carry one of these labels. How Pipedrive words it is not documented."""
    several = len(labels) > 1
    condition: Body = {
        "object": "deal",
        "field_id": "12461",
        "operator": "IN" if several else "=",
        "value": json.dumps(labels) if several else labels[0],
        "extra_value": None,
        "json_value_flag": several,
    }
    groups = [{"glue": "and", "conditions": [condition]}, {"glue": "or", "conditions": []}]
    added = stamp(_OPENED + timedelta(days=number))
    conditions = {"glue": "and", "conditions": groups}
    return {"id": number, "name": name, "type": "leads", "add_time": added, "conditions": conditions}


def _version_1(time: datetime, node: int) -> str:
    """Return a UUID of version 1 that tells this time, as the ids of real leads do."""
    ticks = (time - _EPOCH) // timedelta(microseconds=1) * 10
    version = (ticks >> 48) & 0x0FFF | 0x1000
    return str(UUID(fields=(ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, version, 0x91, 0xC1, 0xD76C55000000 + node)))


NAMED: Mapping[str, Callable[[], Body]] = {"empty": _empty, "fresh": _fresh, "drifted": _drifted}
"""Every named seed: call it for a new copy."""
