"""What an account has that nothing declares: never guessed, never somebody else's."""

from dataclasses import replace
from typing import Any

import pytest

from leadstate.engine.jobs import AccountJob
from leadstate.engine.read.undeclared import Undeclared, UndeclaredFilter, read_undeclared
from leadstate.model.account import Account
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import Desired
from leadstate.pipedrive.connection import Connection
from tests.harness.builders import FREE, label, lead, refs
from tests.harness.fake_api import Fake, failed, ok

ALL = UndeclaredFilter(leads=True)


def read(fake: Fake, wanted: UndeclaredFilter, *desired: Desired, **of_account: Any) -> Undeclared:
    account = replace(Account("emea", "http://127.0.0.1:1", "ns", FREE, desired), **of_account)

    async def main(connection: Connection) -> Undeclared:
        (found,) = await read_undeclared([AccountJob(account, connection)], wanted)
        return found

    return fake.connect(main)


def ids(found: Undeclared) -> tuple[list[str], list[str]]:
    return [live.remote_id for live in found.named.get("label", ())], [live.remote_id for live in found.leads]


def company() -> Fake:
    fake = Fake().with_label("hot", "Hot").with_label("warm", "Warm", "blue")
    fake.lead("1", "ns:a", "hot", source_name="Web", owner_id=7)
    fake.lead("2", None, "warm", source_name="Mail", owner_id=8)
    fake.lead("3", "other:x", "hot", owner_id=7)
    fake.lead("4", "ns:b", owner_id=9)
    return fake


def test_undeclared_labels_and_leads_are_read_in_order() -> None:
    found = read(company(), ALL)
    assert found.account == "emea"
    assert ids(found) == (["hot", "warm"], ["1", "2", "4"])
    assert (found.foreign, found.diagnostics, found.known) == (1, (), {})
    assert [live.attrs["labels"] for live in found.leads] == [refs("Hot"), refs("Warm"), ()]


def test_ignored_labels_are_not_imported_with_their_leads_either() -> None:
    found = read(company(), ALL, policy=replace(FREE, ignore={"label": ["W*"]}))
    assert ids(found) == (["hot"], ["1", "2", "4"])
    assert [live.attrs["labels"] for live in found.leads] == [refs("Hot"), (), ()]


def test_a_malformed_lead_is_left_out_alone_and_those_of_others_are_not_looked_into() -> None:
    fake = company()
    fake.lead("5", None, title=None)
    fake.lead("6", "other:x", title=None)
    fake.lead("7", "")
    found = read(fake, ALL)
    assert (ids(found)[1], found.foreign) == (["1", "2", "4", "7"], 2)
    (left_out,) = found.diagnostics
    assert (left_out.code, left_out.summary) == (
        "not-imported",
        "the lead 5 was left out: answered a malformed lead: `title` is not text",
    )
    assert found.leads[-1].marker is None


def test_leads_are_read_only_on_request() -> None:
    fake = company()
    found = read(fake, UndeclaredFilter())
    assert (*ids(found), found.foreign) == (["hot", "warm"], [], 0)
    assert fake.sent == ["GET leadLabels"]


def test_declared_objects_are_left_out() -> None:
    fake = company()
    found = read(fake, ALL, label("Hot", key="h"), lead("a"), lead("k"), lock={Ref("lead", "k"): "2"})
    assert ids(found) == (["warm"], ["4"])
    found = read(fake, ALL, label("Hot", key="h"))
    assert [live.attrs["labels"] for live in found.leads] == [refs("h"), refs("Warm"), ()]
    assert ids(read(fake, ALL, lead("a"), lock={Ref("lead", "other"): "2"}))[1] == ["2", "4"]


@pytest.mark.parametrize(
    ("wanted", "labels", "leads", "foreign"),
    [
        (replace(ALL, labels=frozenset({"Hot"})), ["hot"], ["1"], 1),
        (replace(ALL, labels=frozenset({"Hot", "Warm"})), ["hot", "warm"], ["1", "2"], 1),
        (replace(ALL, labels=frozenset({"None"})), [], [], 1),
        (replace(ALL, owners=frozenset({7})), ["hot", "warm"], ["1"], 1),
        (replace(ALL, owners=frozenset({8, 9})), ["hot", "warm"], ["2", "4"], 0),
        (replace(ALL, sources=frozenset({"Mail"})), ["hot", "warm"], ["2"], 0),
        (replace(ALL, sources=frozenset({"Web"}), owners=frozenset({8})), ["hot", "warm"], [], 0),
    ],
)
def test_labels_and_leads_are_filtered(
    wanted: UndeclaredFilter, labels: list[str], leads: list[str], foreign: int
) -> None:
    found = read(company(), wanted)
    assert (*ids(found), found.foreign) == (labels, leads, foreign)


def test_the_id_of_an_owner_may_be_answered_as_text() -> None:
    fake = company()
    fake.leads["1"]["owner_id"] = "7"
    assert ids(read(fake, replace(ALL, owners=frozenset({7}))))[1] == ["1"]


def test_labels_of_one_name_are_not_imported() -> None:
    fake = company()
    for id_ in ("b", "c"):
        fake.label(id_, "Hot")
    found = read(fake, ALL)
    assert ids(found)[0] == ["warm"]
    assert found.diagnostics == (
        Diagnostic(
            "not-imported",
            Severity.ERROR,
            "the label 'Hot' was left out: several labels have this name",
            hint="make them one: declare it with `merge_from: [{id: b}, {id: c}]`; else rename one in Pipedrive",
            detail="hot  Hot\nb  Hot\nc  Hot",
            account="emea",
        ),
    )
    assert found.leads[0].attrs["labels"] == (RemoteRef("label", "hot"),)
    assert read(fake, replace(ALL, labels=frozenset({"Warm"}))).diagnostics == ()
    assert len(read(fake, replace(ALL, labels=frozenset({"Hot"}))).diagnostics) == 1


@pytest.mark.parametrize("declared", [label("Cold", key="Hot"), label("Cold", "red", "Hot", key="c")])
def test_a_label_whose_name_is_taken_by_a_declared_one_is_left_out(declared: Desired) -> None:
    fake = company()
    for id_ in ("cold", "twin"):  # which of them is declared is not clear, so nothing has its former name yet
        fake.label(id_, "Cold")
    found = read(fake, ALL, declared)
    assert ids(found)[0] == ["warm"]
    diagnostic = found.diagnostics[-1]
    assert (diagnostic.code, diagnostic.summary) == (
        "not-imported",
        "the label 'Hot' was left out: a declared label has this name or key",
    )
    assert (diagnostic.hint, diagnostic.detail) == ("rename it in Pipedrive, and import again", "hot  Hot")


def test_names_of_people_are_read_only_on_request() -> None:
    fake = company()
    fake.before["GET persons/1", 0] = lambda: ok({"id": 1, "name": "Jane", "emails": [{"value": "jane@acme.test"}]})
    fake.before["GET users", 0] = lambda: ok([])
    found = read(fake, replace(ALL, names=True))
    assert found.known == {("person", 1): {"email": "jane@acme.test"}}
    assert "GET persons/1" not in (other := company()).sent
    assert read(other, ALL).known == {}


@pytest.mark.parametrize(("times", "complete"), [(2, True), (3, False)])
def test_a_listing_that_shifts_is_read_three_times(times: int, *, complete: bool) -> None:
    fake = Fake().with_lead("1")
    broken = [{"id": "9", "title": "x", "person_id": 1, "label_ids": []}] * 2
    for number in range(times):
        fake.before["GET leads", number] = lambda: ok(broken, pagination={"more_items_in_collection": False})
    found = read(fake, ALL)
    assert [diagnostic.code for diagnostic in found.diagnostics] == ([] if complete else ["incomplete-listing"])
    assert fake.sent.count("GET leads") == 3


@pytest.mark.parametrize(("left", "codes"), [("60", []), ("59", ["budget-spent"])])
def test_a_list_that_would_cost_more_than_is_left_today_is_not_begun(left: str, codes: list[str]) -> None:
    fake = company()
    told = ok([*fake.labels.values()])
    told.headers["x-daily-ratelimit-token-remaining"] = left
    fake.before["GET leadLabels", 0] = lambda: told

    async def main(connection: Connection) -> Undeclared:
        connection.lengths["getLeads"] = 3
        account = Account("emea", "http://127.0.0.1:1", "ns", FREE, ())
        return (await read_undeclared([AccountJob(account, connection)], ALL))[0]

    assert [diagnostic.code for diagnostic in fake.connect(main).diagnostics] == codes
    assert ("GET leads" in fake.sent) is (not codes)


def test_a_refused_listing_is_a_diagnostic_of_the_account() -> None:
    fake = company()
    fake.before["GET leadLabels", 0] = lambda: failed(403)
    found = read(fake, ALL)
    assert (found.account, len(found.diagnostics), found.named) == ("emea", 1, {})


def test_duplicates_of_unwanted_labels_are_ignored() -> None:
    fake = company()
    for number, name in enumerate(("Hot", "Warm", "Cold")):
        fake.label(f"twin-{number}", name)
    found = read(fake, UndeclaredFilter(labels=frozenset({"Warm", "Cold"})))
    assert ids(found)[0] == ["twin-2"]
    (diagnostic,) = found.diagnostics
    assert (
        diagnostic.hint == "make them one: declare it with `merge_from: [{id: twin-1}]`; else rename one in Pipedrive"
    )
    protected = replace(FREE, protect={"label": ["Warm"]})
    (diagnostic,) = read(fake, UndeclaredFilter(labels=frozenset({"Warm"})), policy=protected).diagnostics
    assert diagnostic.hint == "rename one in Pipedrive, and import again"


@pytest.mark.parametrize(
    ("request_", "operation", "row"),
    [("GET leads", "getLeads", {"title": "x"}), ("GET leadLabels", "getLeadLabels", {"id": "hot"})],
)
def test_a_malformed_row_names_the_request(request_: str, operation: str, row: object) -> None:
    fake = company()
    fake.before[request_, 0] = lambda: ok([row], pagination={"more_items_in_collection": False})
    (diagnostic,) = read(fake, ALL).diagnostics
    assert (diagnostic.code, operation in diagnostic.summary) == ("bad-answer", True)


def test_a_label_that_the_lock_file_knows_is_declared_whatever_its_name_is_now() -> None:
    found = read(company(), ALL, label("Cold", key="c"), lock={Ref("label", "c"): "hot"})
    assert ids(found)[0] == ["warm"]
    assert found.leads[0].attrs["labels"] == refs("c")
