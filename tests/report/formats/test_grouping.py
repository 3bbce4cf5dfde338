"""Equal changes are one group, and the groups together are the changes: none is lost, none is told twice."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from leadstate.model.address import Span
from leadstate.report.document import Account, Change, Impact, Report, Result, Untouched
from leadstate.report.formats.grouping import Grouped, group_diagnostics, group_report
from leadstate.report.formats.text import to_text
from leadstate.report.formats.wording import local_name
from tests.harness.reports import account, change, diagnostic, report

SHAPES = st.builds(
    change,
    st.sampled_from("+~-"),
    st.sampled_from(["label:A", "label:B", "lead:a/b:c"]),
    st.tuples(st.just("f"), st.sampled_from([None, 1, True, "1", ["x"], {"amount": 1}]), st.sampled_from([None, 1.0])),
    line=st.sampled_from([None, 1, 2]),
    impact=st.sampled_from([None, Impact(leads=None, archived_leads=None), Impact(leads=2, archived_leads=1)]),
    result=st.sampled_from([None, Result(status="applied"), Result(status="failed", detail="no")]),
    moves_to=st.sampled_from([None, "label:B"]),
    origin=st.sampled_from([None, "drift"]),
    reason=st.sampled_from(["differs", "renamed"]),
)


def placed(name: str, shape: Change) -> Change:
    kind = shape.address.partition(":")[0]
    return replace(shape, address=f"{name}/{shape.address}", kind=kind, remote_id=f"id in {name}")


@st.composite
def reports(draw: st.DrawFn) -> Report:
    shapes = draw(st.lists(SHAPES, min_size=1, max_size=3))
    # Changes that differ in one thing alone are the ones that could be taken for equal.
    for shape, other in draw(st.lists(st.tuples(st.sampled_from(shapes), SHAPES), max_size=4)):
        names = draw(
            st.lists(
                st.sampled_from(["address", "action", "reason", "origin", "moves_to", "fields", "impact", "result"]),
                max_size=1,
            )
        )
        shapes.append(replace(shape, **{name: getattr(other, name) for name in names}))
    chosen = draw(st.lists(st.lists(st.sampled_from(shapes), max_size=5), max_size=6))
    return report(
        *(account(f"a{number}", *(placed(f"a{number}", shape) for shape in some)) for number, some in enumerate(chosen))
    )


def members(view: Grouped) -> list[tuple[Account, Change]]:
    return [member for block in view.blocks for group in block.groups for member in group.members]


def told(name: str, planned: Change) -> Change:
    """Return what is shown of a change, wherever it is."""
    impact = planned.impact and Impact(
        leads=planned.impact.leads and 0, archived_leads=planned.impact.archived_leads and 0
    )
    return replace(
        planned, address=planned.address.removeprefix(f"{name}/"), remote_id=None, source=None, impact=impact
    )


@given(reports())
def test_the_groups_expanded_equal_the_changes(whole: Report) -> None:
    everything = [(each, planned) for each in whole.accounts for planned in each.changes]
    for verbose in (False, True):
        found = members(group_report(whole, verbose=verbose))
        assert len(found) == len(everything)
        assert all(member in found for member in everything)
    assert members(group_report(whole, verbose=True)) == everything


@given(reports())
def test_a_group_is_one_change_of_each_account_of_its_block(whole: Report) -> None:
    for block in group_report(whole).blocks:
        for group in block.groups:
            assert tuple(each for each, _ in group.members) == block.accounts
            assert len({repr(told(each.account, planned)) for each, planned in group.members}) == 1
            leads = [
                planned.impact.leads
                for _, planned in group.members
                if planned.impact and planned.impact.leads is not None
            ]
            assert (group.change.impact.leads if group.change.impact else None) == (sum(leads) if leads else None)
            assert set(group.places) == {planned.source for _, planned in group.members if planned.source}


@given(reports())
def test_no_two_groups_say_the_same_of_different_accounts(whole: Report) -> None:
    if len(whole.accounts) < 2:
        return
    found: dict[str, int] = {}
    most: dict[str, int] = {}
    for each in whole.accounts:
        shown = [repr(told(each.account, planned)) for planned in each.changes]
        most |= {said: max(most.get(said, 0), shown.count(said)) for said in shown}
    for block in group_report(whole).blocks:
        for group in block.groups:
            said = repr(told(block.accounts[0].account, group.members[0][1]))
            found[said] = found.get(said, 0) + 1
    assert found == most


def paint(name: str, before: str = "orange", line: int = 3) -> Change:
    return change("~", f"{name}/label:Hot", ("color", before, "red"), line=line)


def named(accounts: Sequence[Account]) -> list[str]:
    return [account.account for account in accounts]


def test_what_most_accounts_need_comes_first_and_one_account_keeps_its_own() -> None:
    own = change("-", "a/label:Old")
    view = group_report(
        report(account("a", own, paint("a")), account("b", paint("b")), account("c"), account("d", paint("d", "blue")))
    )
    assert [named(block.accounts) for block in view.blocks] == [["a", "b"], ["a"], ["d"]]
    assert named(view.unchanged) == ["c"]
    assert view.blocks[1].groups[0].change == own


def test_one_account_is_shown_as_a_whole() -> None:
    left = (Untouched(address=None, kind="lead", reason="not-ours", count=4),)
    (block,) = group_report(report(account("a", paint("a"), untouched=left))).blocks
    assert block.untouched == ("4 leads untouched (not ours)",)
    assert group_report(report(account("a"))).unchanged == ()


def test_places_that_differ_are_all_known() -> None:
    (block,) = group_report(report(account("a", paint("a")), account("b", paint("b", line=9)))).blocks
    assert block.groups[0].places == (
        Span(file="leadstate.yaml", line=3, column=5),
        Span(file="leadstate.yaml", line=9, column=5),
    )


def test_the_receipt_that_is_undone_is_not_told_as_the_place_of_each_change() -> None:
    whole = report(account("a", change("~", "a/label:Hot", ("color", 1, 2), file="receipts/r.json", line=1)))
    for undoing in (whole, report(*whole.accounts, account("b"))):
        blocks = group_report(replace(undoing, undoes="r.json")).blocks
        assert [group.places for block in blocks for group in block.groups] == [()]
        assert all(group.places for block in group_report(undoing).blocks for group in block.groups)


def test_an_account_that_could_not_be_read_is_not_called_unchanged() -> None:
    bad = account("a", diagnostics=(diagnostic("error", "network", "no answer"),))
    odd = account("b", diagnostics=(diagnostic("warning", "w", "odd"),))
    assert named(group_report(report(bad, odd, account("c"))).unchanged) == ["b", "c"]


def test_what_is_untouched_is_added_up_over_the_accounts() -> None:
    def untouched(name: str, count: int, detail: str) -> tuple[Untouched, ...]:
        group = Untouched(address=None, kind="label", reason="unmanaged", count=count)
        return (group, Untouched(address=f"{name}/label:Old", kind="label", reason="retiring", detail=detail))

    view = group_report(
        report(account("a", untouched=untouched("a", 2, "goes")), account("b", untouched=untouched("b", 3, "goes")))
    )
    assert view.untouched == ("In a, b: label:Old goes", "In a, b: 5 labels untouched (unmanaged; prune: none)")


def test_equal_diagnostics_are_one_unless_all_are_wanted() -> None:
    found = [diagnostic("warning", "w", "odd", account=name, address=f"{name}/label:Hot") for name in "abc"]
    whole = report(*(account(remark.account or "", diagnostics=(remark,)) for remark in found))
    (group,) = group_report(whole).diagnostics
    assert group.about == ("a/label:Hot", "b/label:Hot", "c/label:Hot")
    assert [each.first for each in group_report(whole, verbose=True).diagnostics] == found


def test_errors_that_differ_by_correlation_id_are_one_and_show_one_id() -> None:
    words = {name: f"getLeads: 401, no, correlation id 7c0-{name}" for name in "abc"}
    found = [diagnostic("error", "unauthorized", said, account=name) for name, said in words.items()]
    (group,) = group_report(
        report(*(account(remark.account or "", diagnostics=(remark,)) for remark in found))
    ).diagnostics
    assert (group.about, group.first.summary) == (("a", "b", "c"), f"{words['a']} and 2 more")
    other = replace(found[1], summary="getLeads: 403, no, correlation id 7c0-a")
    assert [each.first for each in group_diagnostics([found[0], other])] == [found[0], other]


def test_changes_whose_results_differ_by_correlation_id_are_one() -> None:
    def failed(name: str, more: str = "") -> Account:
        result = Result(status="failed", detail=f"x: spent (429, correlation id 7c0-{name}); kept{more}")
        return account(name, replace(paint(name), result=result))

    view = group_report(report(failed("a"), failed("b"), failed("c", " not")))
    assert [named(block.accounts) for block in view.blocks] == [["a", "b"], ["c"]]
    said = [group.change.result.detail for block in view.blocks for group in block.groups if group.change.result]
    assert said == [
        "x: spent (429, correlation id 7c0-a and 1 more); kept",
        "x: spent (429, correlation id 7c0-c); kept not",
    ]
    text = to_text(
        report(account("a", *failed("a").changes, *failed("b").changes), command="apply"), color=False, width=200
    )
    assert "2 failed: x: spent (429, correlation id 7c0-a and 1 more); kept" in text


def welcome(name: str, number: int, known: str = "p@acme.test") -> Account:
    new = change("+", f"{name}/lead:a", ("person", None, number), ("value", None, number))
    return account(name, new, names={f"person:{number}": known} if known else {})


def test_an_id_is_shown_with_what_it_is_known_by_and_left_out_where_several_accounts_have_one() -> None:
    (block,) = group_report(report(welcome("a", 7))).blocks
    assert block.groups[0].known == {"person:7": "p@acme.test (7)"}
    (block,) = group_report(report(welcome("a", 7), welcome("b", 7))).blocks
    assert block.groups[0].known == {"person:7": "p@acme.test"}


def test_ids_of_one_name_are_equal_and_those_of_others_are_not() -> None:
    def added(name: str, number: int, known: str) -> Account:
        return account(name, change("+", f"{name}/lead:a", ("person", None, number)), names={f"person:{number}": known})

    (block,) = group_report(report(added("a", 7, "p@acme.test"), added("b", 8, "p@acme.test"))).blocks
    assert block.groups[0].known == {"person:7": "p@acme.test"}
    assert len(group_report(report(added("a", 7, "p@acme.test"), added("b", 7, "q@acme.test"))).blocks) == 2
    assert len(group_report(report(welcome("a", 7), welcome("b", 8))).blocks) == 2, "a number is no id"
    assert len(group_report(report(welcome("a", 7), welcome("b", 7, ""))).blocks) == 2


def test_a_lead_without_a_key_is_called_by_its_title() -> None:
    left = (Untouched(address="a/lead:#1", kind="lead", reason="gone"),)
    one = account("a", untouched=left, names={"lead:#1": "Renewal"})
    (block,) = group_report(report(one)).blocks
    assert block.untouched[0].endswith(': lead:#1 "Renewal"')
    assert local_name(one, "a/lead:#1") == 'lead:#1 "Renewal"'
    assert local_name(one, "a/lead:x") == "lead:x"
