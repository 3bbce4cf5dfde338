"""Descriptions become ids, cheapest way first; none or several are diagnostics, and nothing is planned for them."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.lookups import describe_contacts
from leadstate.engine.run import Settings, plan_all
from leadstate.model.account import Account, Policy, Prune
from leadstate.model.address import Address, Ref, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.plan import AccountPlan, Action
from leadstate.model.resource import CustomValue, Desired, Known, Lookup
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.connection import Connection
from tests.harness.builders import live_lead
from tests.harness.connections import connect

HERE = Span("leadstate.yaml", 9, 14)
THERE = Span("leadstate.yaml", 10, 21)
PEOPLE = {
    1: ("Jane Alder", ["jane@acme.test", "Jane@Home.test"]),
    2: ("Tom Birch", ["tom@acme.test"]),
    3: ("Tom Birch", ["shared@acme.test"]),
    4: ("Mira Novak", ["shared@acme.test"]),
}
ORGANIZATIONS = {7: "Acme", 8: "Acme", 9: "Borealis  Foods"}
BUYER = "c" * 40
USERS = [
    {"id": 101, "name": "Sam", "email": "sam@acme.test", "active_flag": True},
    {"id": 102, "name": "Old Sam", "email": "old@acme.test", "active_flag": False},
]


class Pipedrive:
    """The look-ups as the vendor describes them, over some people; `calls` holds what was asked."""

    def __init__(self, *leads: dict[str, Any]) -> None:
        self.leads = leads
        self.calls: list[str] = []
        self.searched: list[dict[str, str]] = []
        self.instead: dict[str, Any] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, params = request.url.path, request.url.params
        self.calls.append(path.removeprefix("/api/"))
        if path in self.instead:
            return httpx.Response(200, json={"success": True, "data": self.instead[path]})
        if path.endswith("/search"):
            self.searched.append(dict(params))
        by_id = re.fullmatch(r"/api/v2/(persons|organizations)/(\d+)", path)
        if by_id:
            return self._answer_by_id(by_id[1], int(by_id[2]))
        page = {"pagination": {"start": 0, "limit": 500, "more_items_in_collection": False}}
        answers: dict[str, Callable[[], Any]] = {
            "/api/v1/leadLabels": list,
            "/api/v1/leads": lambda: list(self.leads),
            "/api/v1/leads/archived": list,
            "/api/v1/users": lambda: USERS,
            "/api/v2/dealFields": lambda: [{"field_code": BUYER, "field_name": "Buyer", "field_type": "people"}],
            "/api/v1/users/me": lambda: {"id": 101, "name": "Sam", "company_id": 7041, "company_domain": "acme"},
            "/api/v2/persons": lambda: [
                self._person(int(person_id)) for person_id in params["ids"].split(",")[: int(params["limit"])]
            ],
            "/api/v2/persons/search": lambda: self._search(self._persons(params["fields"], params["term"])),
            "/api/v2/organizations/search": lambda: self._search(
                [{"id": i, "name": name} for i, name in ORGANIZATIONS.items() if params["term"].lower() in name.lower()]
            ),
        }
        return httpx.Response(200, json={"success": True, "data": answers[path](), "additional_data": page})

    @staticmethod
    def _person(id_: int) -> dict[str, Any]:
        name, emails = PEOPLE[id_]
        return {"id": id_, "name": name, "emails": [{"value": email, "primary": True} for email in emails]}

    def _answer_by_id(self, kind: str, id_: int) -> httpx.Response:
        if id_ not in (PEOPLE if kind == "persons" else ORGANIZATIONS):
            return httpx.Response(404, json={"success": False, "error": "not found"})
        data = self._person(id_) if kind == "persons" else self._organization(id_)
        return httpx.Response(200, json={"success": True, "data": data})

    @staticmethod
    def _organization(id_: int) -> dict[str, Any]:
        return {"id": id_, "name": ORGANIZATIONS[id_], "address": {"value": "Mill Lane"}}

    @staticmethod
    def _persons(field: str, term: str) -> list[dict[str, Any]]:
        found = []
        for id_, (name, emails) in PEOPLE.items():
            texts = emails if field == "email" else [name]
            # A search finds more than asked for: what it calls equal is its own.
            if any(term.lower().split("@")[0] in text.lower() for text in texts):
                found.append({"id": id_, "name": name, "emails": emails})
        return found

    @staticmethod
    def _search(items: list[dict[str, Any]]) -> dict[str, Any]:
        return {"items": [{"result_score": 1.0, "item": item} for item in items]}


def person(by: str, text: str) -> Lookup:
    return Lookup("person", by, text, THERE)


def lead(key: str = "a", *, create_only: bool = False, **attrs: Any) -> Desired:
    return Desired(
        Address("emea", "lead", key), {"title": key, **attrs}, HERE, marker=f"ns:{key}", create_only=create_only
    )


JANE = person("email", "jane@acme.test")
LOOKED_UP = lead(person=JANE, owner=Lookup("user", "email", "sam@acme.test", HERE))


def plan(server: Pipedrive, *desired: Desired, **of_account: Any) -> AccountPlan:
    account = Account(
        "emea", "https://acme.test", "ns", Policy(prune_rules={"lead": Prune.OWNED}), desired, **of_account
    )

    async def main(connection: Connection) -> AccountPlan:
        (planned,) = await plan_all([AccountJob(account, connection)], Settings())
        return planned

    return connect(httpx.MockTransport(server), main)


@pytest.mark.parametrize(
    ("wanted", "id_"),
    [
        (person("email", "jane@acme.test"), 1),
        (person("email", "JANE@HOME.TEST"), 1),
        (person("name", "jane alder"), 1),
    ],
)
def test_a_person_is_found_by_email_or_name(wanted: Lookup, id_: int) -> None:
    found = plan(Pipedrive(), lead(person=wanted))
    assert found.diagnostics == ()
    assert found.changes[0].want["person"] == id_


def test_an_organization_and_a_user_are_found() -> None:
    found = plan(
        Pipedrive(),
        lead(
            organization=Lookup("organization", "name", "Borealis  Foods", HERE),
            owner=Lookup("user", "email", "Sam@acme.test", HERE),
        ),
    )
    assert (found.changes[0].want["organization"], found.changes[0].want["owner"]) == (9, 101)


def test_a_lead_whose_person_is_not_found_is_not_pruned() -> None:
    live = {"id": "x", "title": "a", "person_id": 2, "origin_id": "ns:a"}
    found = plan(Pipedrive(live), lead(person=person("email", "nobody@acme.test")))
    assert found.changes == ()


@pytest.mark.parametrize(
    ("people", "calls"), [(1, ["v2/persons/1"]), (10, None), (11, ["v2/persons"]), (101, ["v2/persons"] * 2)]
)
def test_linked_persons_are_read_by_id_without_a_search(people: int, calls: list[str] | None) -> None:
    ids = range(1, people + 1)
    everybody = {i: (f"P{i}", [f"p{i}@acme.test"]) for i in ids}
    server = Pipedrive(*({"id": f"{i}", "title": f"{i}", "person_id": i, "origin_id": f"ns:{i}"} for i in ids))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "PEOPLE", everybody)
        found = plan(server, *(lead(str(i), person=person("email", f"p{i}@acme.test")) for i in ids))
    assert (found.changes, found.diagnostics) == ((), ())
    assert server.calls[2:] == (calls or [f"v2/persons/{i}" for i in ids])


def test_a_linked_organization_is_read_by_its_id() -> None:
    server = Pipedrive({"id": "x", "title": "a", "organization_id": 9, "origin_id": "ns:a"})
    wanted = Lookup("organization", "name", "borealis  foods", HERE)
    assert plan(server, lead(organization=wanted)).changes == ()
    assert server.calls[2:] == ["v2/organizations/9"]


@pytest.mark.parametrize("linked", [2, 99])
def test_a_link_that_does_not_match_or_is_deleted_is_searched(linked: int) -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": linked, "origin_id": "ns:a"})
    found = plan(server, lead(person=JANE))
    assert found.changes[0].want == {"person": 1}
    assert server.calls[-2:] == [f"v2/persons/{linked}", "v2/persons/search"]


def test_one_search_serves_many_leads() -> None:
    server = Pipedrive()
    plan(server, *(lead(str(i), person=JANE) for i in range(3)))
    assert server.calls.count("v2/persons/search") == 1


def test_an_existing_seed_is_not_looked_up() -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": 2, "origin_id": "ns:a"})
    plan(server, lead(person=JANE, create_only=True))
    assert server.calls == ["v1/leadLabels", "v1/leads"]


INVITE = "correct it, or ask an admin to invite the user first"
WRITE_ID = "write the id of the one that is meant"


@pytest.mark.parametrize(
    ("field", "lookup", "summary", "hint", "candidates"),
    [
        (
            "person",
            person("email", "nobody@acme.test"),
            "there is no person with the email 'nobody@acme.test'",
            "correct it, or create the person in Pipedrive first",
            "",
        ),
        (
            "owner",
            Lookup("user", "email", "nobody@acme.test", THERE),
            "there is no user with the email 'nobody@acme.test'",
            INVITE,
            "",
        ),
        (
            "owner",
            Lookup("user", "email", "old@acme.test", THERE),
            "the user with the email 'old@acme.test' is deactivated, and gets no leads any more",
            "name another user, or ask an admin to activate this one",
            "",
        ),
        (
            "person",
            person("email", "shared@acme.test"),
            "2 persons have the email 'shared@acme.test'",
            WRITE_ID,
            "3  Tom Birch\n4  Mira Novak",
        ),
        (
            "person",
            person("name", "Tom Birch"),
            "2 persons have the name 'Tom Birch'",
            WRITE_ID,
            "2  Tom Birch\n3  Tom Birch",
        ),
        (
            "organization",
            Lookup("organization", "name", "acme", THERE),
            "2 organizations have the name 'acme'",
            WRITE_ID,
            "7  Acme\n8  Acme",
        ),
    ],
)
def test_none_or_several_found_are_an_error_with_the_candidates(
    field: str, lookup: Lookup, summary: str, hint: str, candidates: str
) -> None:
    attrs: dict[str, Any] = {field: lookup}
    found = plan(Pipedrive(), lead(**attrs))
    code = "several-found" if candidates else "none-found"
    address = Address("emea", "lead", "a")
    assert found.diagnostics == (
        Diagnostic(
            code, Severity.ERROR, summary, detail=candidates, hint=hint, span=THERE, account="emea", address=address
        ),
    )
    assert not found.applyable
    assert field not in found.changes[0].want


@pytest.mark.parametrize(("count", "more"), [(10, ""), (13, "and 3 more")])
def test_ten_candidates_are_named(count: int, more: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "PEOPLE", {number: ("Kim", []) for number in range(1, count + 1)})
        (diagnostic,) = plan(Pipedrive(), lead(person=person("name", "Kim"))).diagnostics
    lines = diagnostic.detail.splitlines()
    assert lines[:10] == [f"{number}  Kim" for number in range(1, 11)]
    assert lines[10:] == ([more] if more else [])


def test_a_search_asks_for_exact_matches() -> None:
    server = Pipedrive()
    plan(server, lead(person=JANE))
    assert server.searched == [
        {"term": "jane@acme.test", "fields": "email", "exact_match": "true", "limit": "100"},
    ]


@pytest.mark.parametrize("answer", [[], {"items": None}])
def test_a_malformed_search_answer_names_its_request(answer: Any) -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": 2, "origin_id": "ns:a"})
    server.instead["/api/v2/persons/search"] = answer
    found = plan(server, LOOKED_UP)
    assert not found.complete
    assert [(diagnostic.code, diagnostic.summary) for diagnostic in found.diagnostics] == [
        ("bad-answer", "searchPersons: answered no list of items")
    ]


NO_ID, NO_ROW = "`id` is not a whole number", "it is not an object"


@pytest.mark.parametrize(
    ("path", "answer", "row", "wrong"),
    [
        (
            "/api/v2/persons/search",
            {"items": [{"item": {"id": "x"}}]},
            "searchPersons answered a malformed person",
            NO_ID,
        ),
        ("/api/v2/persons/search", {"items": [7]}, "searchPersons answered a malformed person", NO_ROW),
        ("/api/v1/users", [{"id": None}], "getUsers answered a malformed user", NO_ID),
        ("/api/v1/users", [7], "getUsers answered a malformed user", NO_ROW),
    ],
)
def test_a_malformed_row_is_named_if_nothing_else_is_found(path: str, answer: Any, row: str, wrong: str) -> None:
    server = Pipedrive()
    server.instead[path] = answer
    (diagnostic,) = plan(server, LOOKED_UP).diagnostics
    assert diagnostic.code == "none-found"
    assert diagnostic.detail == f"{row}, which is left out: {wrong}"


def test_a_malformed_row_does_not_hide_others() -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": 2, "origin_id": "ns:a"})
    server.instead["/api/v1/users"] = [{"id": "?"}, {"id": 101, "email": "sam@acme.test", "active_flag": True}]
    server.instead["/api/v2/persons/2"] = {"id": None}
    found = plan(server, LOOKED_UP)
    assert found.diagnostics == ()
    assert [change.want for change in found.changes] == [{"owner": 101, "person": 1}]


def test_a_person_linked_by_a_custom_field_is_read_by_id() -> None:
    server = Pipedrive({"id": "x", "title": "a", "origin_id": "ns:a", BUYER: 1})
    wanted: dict[str, Any] = {"custom_fields.Buyer": CustomValue({"email": "jane@acme.test"}, HERE)}
    assert plan(server, lead(**wanted)).changes == ()
    assert server.calls[2:] == ["v2/dealFields", "v2/persons/1"]


def described(server: Pipedrive, *leads: Any) -> Known:
    return connect(httpx.MockTransport(server), lambda connection: describe_contacts(leads, Reader(connection)))


def test_people_organizations_and_users_of_leads_are_described_as_people_write_them() -> None:
    server = Pipedrive()
    leads = [live_lead("a", person=1, organization=7, owner=None), live_lead("b", person=2, owner=None)]
    assert described(server, *leads) == {
        ("person", 1): {"email": "jane@acme.test"},
        ("person", 2): {"email": "tom@acme.test"},
        ("organization", 7): {"name": "Acme"},
    }
    assert server.calls == ["v2/persons/1", "v2/persons/2", "v2/organizations/7"]
    known = described(server, live_lead("a", person=None), live_lead("b", person=None, owner=None))
    assert known == {("user", 101): {"email": "sam@acme.test"}, ("user", 102): {"email": "old@acme.test"}}


def test_a_person_without_email_and_name_is_not_described() -> None:
    server = Pipedrive()
    server.instead["/api/v2/persons/1"] = {"id": 1, "emails": [{"value": ""}]}
    server.instead["/api/v2/persons/2"] = {"id": 2, "name": "Tom", "emails": [{"value": ""}, {"value": "t@acme.test"}]}
    leads = [live_lead("a", owner=None), live_lead("b", person=2, owner=None)]
    assert described(server, *leads) == {("person", 2): {"email": "t@acme.test"}}


def test_a_user_without_an_address_is_known_by_the_name() -> None:
    server = Pipedrive()
    server.instead["/api/v1/users"] = [{"id": 7, "name": "Sam", "active_flag": True}]
    assert described(server, live_lead("a", person=None)) == {("user", 7): {"name": "Sam"}}


def test_searches_are_sent_in_a_fixed_order() -> None:
    server = Pipedrive()
    plan(server, lead("a", person=person("name", "Tom")), lead("b", person=JANE))
    assert [(search["fields"], search["term"]) for search in server.searched] == [
        ("email", "jane@acme.test"),
        ("name", "Tom"),
    ]


@pytest.mark.parametrize(
    ("attribute", "raw", "lookup", "ids"),
    [
        ("person", "person_id", person("email", "shared@acme.test"), (4, 3)),
        ("organization", "organization_id", Lookup("organization", "name", "Acme", THERE), (8, 7)),
        ("custom_fields.Buyer", BUYER, CustomValue({"email": "shared@acme.test"}, THERE), (4, 3)),
    ],
)
def test_leads_described_by_the_same_words_keep_the_contact_that_each_is_linked_to(
    attribute: str, raw: str, lookup: Any, ids: tuple[int, int]
) -> None:
    server = Pipedrive(
        {"id": "x", "title": "a", raw: ids[0], "origin_id": "ns:a"},
        {"id": "y", "title": "b", raw: ids[1], "origin_id": "ns:b"},
    )
    found = plan(server, lead("a", **{attribute: lookup}), lead("b", **{attribute: lookup}))
    assert (found.changes, found.diagnostics) == ((), ())
    assert server.searched == []


@pytest.mark.parametrize("linked", [None, 1])
def test_what_another_lead_is_linked_to_does_not_choose_among_several_candidates(linked: int | None) -> None:
    server = Pipedrive(
        {"id": "x", "title": "a", "person_id": 4, "origin_id": "ns:a"},
        *([{"id": "y", "title": "b", "person_id": linked, "origin_id": "ns:b"}] if linked else []),
    )
    shared = person("email", "shared@acme.test")
    found = plan(server, lead("a", person=shared), lead("b", person=shared))
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.detail) == ("several-found", "3  Tom Birch\n4  Mira Novak")
    assert diagnostic.address == Address("emea", "lead", "b")
    assert all("person" not in change.want for change in found.changes)


def test_a_contact_that_a_search_does_not_find_yet_is_known_from_another_lead() -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": 1, "origin_id": "ns:a"})
    server.instead["/api/v2/persons/search"] = {"items": []}
    found = plan(server, lead("a", person=JANE), lead("b", person=JANE))
    assert found.diagnostics == ()
    assert [(change.address.key, change.want["person"]) for change in found.changes] == [("b", 1)]


def test_two_users_of_one_address_are_told_apart_by_the_lead_that_has_one() -> None:
    server = Pipedrive({"id": "x", "title": "a", "owner_id": 103, "origin_id": "ns:a"})
    server.instead["/api/v1/users"] = [{"id": id_, "name": "Sam", "email": "sam@acme.test"} for id_ in (101, 103)]
    sam = Lookup("user", "email", "sam@acme.test", THERE)
    found = plan(server, lead("a", owner=sam), lead("b", owner=sam))
    assert [(diagnostic.code, diagnostic.address) for diagnostic in found.diagnostics] == [
        ("several-found", Address("emea", "lead", "b"))
    ]


def test_a_lead_stays_with_a_deactivated_user_who_gets_no_other_one() -> None:
    old = Lookup("user", "email", "old@acme.test", THERE)
    there = plan(Pipedrive({"id": "x", "title": "a", "owner_id": 102, "origin_id": "ns:a"}), lead(owner=old))
    assert (there.changes, there.diagnostics) == ((), ())
    assert there.names == {"owner:102": "old@acme.test"}
    other = plan(Pipedrive({"id": "x", "title": "a", "owner_id": 101, "origin_id": "ns:a"}), lead(owner=old))
    assert [found.code for found in other.diagnostics] == ["none-found"]
    server = Pipedrive(
        {"id": "x", "title": "a", "owner_id": 102, "origin_id": "ns:a"},
        {"id": "y", "title": "b", "owner_id": 101, "origin_id": "ns:b"},
    )
    both = plan(server, lead("a", owner=old), lead("b", owner=old))
    assert [(found.code, str(found.address)) for found in both.diagnostics] == [("none-found", "emea/lead:b")]
    assert both.changes == ()


def test_a_lead_without_a_marker_is_identified_by_the_lock_file() -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": 1}, {"id": "y", "title": "b", "person_id": 2})
    wanted = replace(lead(person=JANE), adopted=True)
    assert plan(server, wanted, lock={Ref("lead", "a"): "x"}).changes == ()
    assert server.calls[-1] == "v2/persons/1"


@pytest.mark.parametrize("kept", ["x", "y"])
def test_of_two_leads_of_one_marker_the_one_that_is_kept_says_whom_it_is_linked_to(kept: str) -> None:
    server = Pipedrive(
        {"id": "x", "title": "a", "person_id": 3, "origin_id": "ns:a"},
        {"id": "y", "title": "a", "person_id": 4, "origin_id": "ns:a"},
    )
    wanted = replace(lead("a", person=person("email", "shared@acme.test")), keep=frozenset({kept}))
    found = plan(server, wanted)
    assert [(change.action, change.remote_id) for change in found.changes] == [
        (Action.DELETE, "y" if kept == "x" else "x")
    ]
    assert found.diagnostics == ()


def test_an_email_without_an_address_is_passed_over() -> None:
    server = Pipedrive({"id": "x", "title": "a", "person_id": 2, "origin_id": "ns:a"})
    emails = [{"label": "work"}, {"value": "tom@acme.test"}]
    server.instead["/api/v2/persons/2"] = {"id": 2, "name": "Tom Birch", "emails": emails}
    plan(server, lead(person=person("email", "tom@acme.test")))
    assert server.searched == []


def test_malformed_linked_persons_are_searched() -> None:
    server = Pipedrive(*({"id": f"{i}", "title": "a", "person_id": i, "origin_id": f"ns:{i}"} for i in range(1, 12)))
    server.instead["/api/v2/persons"] = [{"id": None}]
    found = plan(server, *(lead(f"{i}", person=person("email", "tom@acme.test")) for i in range(1, 12)))
    assert found.diagnostics == ()
    assert len(server.searched) == 1


def test_ids_are_named_as_declared_and_those_of_live_leads_by_their_emails() -> None:
    there = {"id": "a", "title": "a", "person_id": 2, "owner_id": 101, "origin_id": "ns:a"}
    wanted = lead(
        "a",
        person=person("email", "JANE@acme.test"),
        owner=Lookup("user", "email", "sam@acme.test", HERE),
        organization=Lookup("organization", "name", "Borealis  Foods", HERE),
    )
    found = plan(Pipedrive(there), wanted, lead("b", person=1))
    assert found.names == {
        "person:1": "JANE@acme.test",
        "person:2": "tom@acme.test",
        "owner:101": "sam@acme.test",
        "organization:9": "Borealis  Foods",
    }
    assert plan(Pipedrive(), lead("b", person=1)).names == {}


def test_a_person_of_a_custom_field_is_named_as_declared() -> None:
    buyer = "custom_fields.Buyer"
    named: dict[str, Any] = {buyer: CustomValue({"email": "jane@acme.test"}, HERE)}
    found = plan(Pipedrive(), lead(**named))
    assert found.names == {f"{buyer}:1": "jane@acme.test"}
