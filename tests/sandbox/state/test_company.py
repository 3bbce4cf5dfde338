"""Whatever is done to a company, some things stay true."""

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from leadstate.sandbox.seeds.documents import dump, parse
from leadstate.sandbox.state.company import Company, MissingError, RefusedError
from leadstate.sandbox.state.records import Query
from tests.harness.sandbox_driver import COLD, HOT, CountedIds, FakeClock, company

VERBS = (
    "add_lead",
    "relabel",
    "retitle",
    "archive",
    "restore",
    "delete_lead",
    "add_label",
    "rename",
    "delete_label",
)

steps = st.lists(
    st.tuples(
        st.sampled_from(VERBS),
        st.integers(0, 9),
        st.lists(st.integers(0, 9), max_size=4),
    ),
    max_size=40,
)


def run(acme: Company, steps: list[tuple[str, int, list[int]]]) -> None:
    """Does each step to the lead or label at that place, with labels that may be long gone."""
    labels, leads = [HOT, COLD], [str(UUID(int=1))]
    for verb, place, markers in steps:
        label, lead = labels[place % len(labels)], leads[place % len(leads)]
        chosen = tuple(dict.fromkeys(labels[marker % len(labels)] for marker in markers))
        try:
            match verb:
                case "add_lead":
                    new = {"title": "x", "person_id": 1, "label_ids": chosen, "custom": {}}
                    leads.append(acme.add_lead(new).id)
                case "relabel":
                    acme.update_lead(lead, {"label_ids": chosen, "custom": {}})
                case "archive" | "restore":
                    acme.update_lead(lead, {"is_archived": verb == "archive", "custom": {}})
                case "retitle":
                    acme.update_lead(lead, {"title": f"t{place}", "custom": {}})
                case "delete_lead":
                    acme.delete_lead(lead)
                case "add_label":
                    labels.append(acme.add_label("New", "red").id)
                case "rename":
                    acme.update_label(label, {"name": f"n{place}"})
                case _:
                    acme.delete_label(label)
        except (MissingError, RefusedError):
            continue


def pages(acme: Company, query: Query, limit: int) -> list[str]:
    found: list[str] = []
    while True:
        page, more = acme.leads(query, len(found), limit)
        found += [lead.id for lead in page]
        if not more:
            return found
        assert len(page) == limit


@settings(max_examples=200, deadline=None)
@given(steps=steps, limit=st.integers(1, 7))
def test_invariants_hold_after_any_operations(steps: list[tuple[str, int, list[int]]], limit: int) -> None:
    clock, kept = FakeClock(), dict[tuple[str, str], Any]()
    ids = CountedIds()
    (tables,) = parse(company(), now=clock.now, new_id=ids)

    def journal(changes: Any) -> None:
        for kind, row_id, body in changes:
            kept[kind, row_id] = body

    acme = Company(tables, lambda: clock.now, ids, journal)
    run(acme, steps)

    everything = acme.tables()
    label_ids = {label.id for label in everything.labels}
    assert all(set(lead.label_ids) <= label_ids for lead in everything.leads)
    assert all((lead.archive_time is not None) == lead.is_archived for lead in everything.leads)

    live, archived = pages(acme, Query(), limit), pages(acme, Query(archived=True), limit)
    assert not set(live) & set(archived)
    assert sorted(live + archived) == sorted(lead.id for lead in everything.leads)
    assert live == [lead.id for lead in everything.leads if not lead.is_archived]
    by_title = pages(acme, Query(sort=(("title", False),)), limit)
    assert sorted(by_title) == sorted(live)

    document = dump([everything])
    assert dump(parse(document, now=clock.now, new_id=ids)) == document
    for kind, rows in (("label", everything.labels), ("lead", everything.leads)):
        held = {row.id: row.body() for row in rows}
        assert all(held.get(row_id) == body for (table, row_id), body in kept.items() if table == kind)
        first = {HOT, COLD} if kind == "label" else set()
        assert set(held) <= {row_id for table, row_id in kept if table == kind} | first
