"""How a plan that is made again may differ from the one that was reviewed."""

from dataclasses import replace

import pytest

from leadstate.report.document import Call, Change, Impact, Report
from leadstate.report.verify import differences, unreviewed
from tests.harness.reports import account, change, diagnostic, report


def merge(leads: int | None, archived: int | None = None) -> Report:
    impact = Impact(leads=leads, archived_leads=archived)
    return report(account("emea", change("-", "emea/label:Cold", ("name", "Cold", None), impact=impact)))


def taking(tokens: int, count: int) -> Report:
    call = Call(operation="updateLead", method="PATCH", path="/leads/{id}", tokens=tokens, count=count)
    return report(account("emea", replace(change("~", "emea/label:Hot", ("color", "red", "blue")), calls=(call,))))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0, 0, []),
        (0, 10, []),
        (0, 11, ["emea/label:Cold: 11 leads carry it; 0 did in the review"]),
        (100, 110, []),
        (100, 111, ["emea/label:Cold: 111 leads carry it; 100 did in the review"]),
        (1200, 1320, []),
        (1200, 1321, ["emea/label:Cold: 1,321 leads carry it; 1,200 did in the review"]),
        (1200, 3, []),
        (None, 500, []),
        (5, None, []),
    ],
)
def test_the_number_of_carriers_may_grow_within_bounds(before: int | None, after: int | None, said: list[str]) -> None:
    assert differences(merge(before), merge(after)) == said


def test_archived_leads_are_counted_apart() -> None:
    said = ["emea/label:Cold: 30 archived leads carry it; 3 did in the review"]
    assert differences(merge(5, 3), merge(5, 30)) == said
    assert differences(merge(5, 3), merge(5, None)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (72, 192, []),
        (72, 193, ["emea: applying takes 193 tokens; 72 were reviewed"]),
        (72, 396, ["emea: applying takes 396 tokens; 72 were reviewed"]),
        (2000, 2200, []),
        (2000, 2201, ["emea: applying takes 2,201 tokens; 2,000 were reviewed"]),
        (396, 0, []),
    ],
)
def test_the_forecast_may_grow_within_bounds(before: int, after: int, said: list[str]) -> None:
    assert differences(taking(before, 1), taking(after, 1)) == said
    assert differences(taking(1, before), taking(1, after)) == said


def emea(*changes: Change, origin: str = "https://acme.test", company_id: int | None = None) -> Report:
    return report(account("emea", *changes, origin=origin, company_id=company_id))


def rehashed(plan: Report) -> Report:
    return replace(plan, accounts=tuple(replace(account, fingerprint="sha256:other") for account in plan.accounts))


HOT = change("~", "emea/label:Hot", ("color", "red", "blue"))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (emea(HOT), []),
        (emea(), ["emea/label:Hot: update is no longer planned"]),
        (emea(HOT, change("+", "emea/label:New")), ["emea/label:New: add is new"]),
        (emea(replace(HOT, fields=())), ["emea/label:Hot: update has changed"]),
        (emea(replace(HOT, remote_id="other")), ["emea/label:Hot: update has changed"]),
        (emea(replace(HOT, reason="renamed")), ["emea/label:Hot: update has changed"]),
        (emea(replace(HOT, moves_to="label:Other")), ["emea/label:Hot: update has changed"]),
        (emea(HOT, origin="https://other.test"), ["emea: it has another address or company"]),
        (emea(HOT, company_id=7), ["emea: it has another address or company"]),
        (rehashed(emea(HOT)), ["emea: the fingerprint is another one"]),
        (replace(emea(HOT), accounts=()), ["emea/label:Hot: update is no longer planned"]),
    ],
)
def test_every_other_difference_is_reported(now: Report, said: list[str]) -> None:
    assert differences(emea(HOT), now) == said


UNREAD = report(
    account("emea", diagnostics=(diagnostic("error", "unauthorized", "401"),), origin="https://acme.test"),
    complete=False,
)


def test_an_account_with_an_error_is_not_compared() -> None:
    failed = report(account("emea", HOT, diagnostics=(diagnostic("error", "ambiguous", "two are called Cold"),)))
    assert differences(emea(HOT), UNREAD) == []
    assert differences(emea(), failed) == []


def test_what_could_not_be_read_before_is_new() -> None:
    """A person who was shown the account's error has agreed to none of its changes."""
    assert differences(UNREAD, emea(HOT)) == ["emea/label:Hot: update is new"]
    assert differences(UNREAD, emea()) == []


def test_an_account_was_not_reviewed_where_only_its_error_was_shown() -> None:
    warned = report(account("emea", diagnostics=(diagnostic("warning", "lookalike", "Hot and HOT"),)))
    failed = report(account("emea", HOT, diagnostics=(diagnostic("error", "ambiguous", "two are called Cold"),)))
    assert [unreviewed(plan) for plan in (UNREAD, warned, failed, emea())] == [{"emea"}, set(), set(), set()]
