"""The changes of one plan: each has an end, whatever is answered, and an answer is compared with what was asked."""

from dataclasses import replace

import httpx
import pytest

from leadstate.model.plan import AccountPlan
from tests.harness.builders import label, lead, refs
from tests.harness.fake_api import Fake, Heard, details, ends, failed, ok, only


def relabelled(fake: Fake, **attrs: object) -> AccountPlan:
    fake.lead("1", "ns:a", title="a")
    return fake.plan(lead("a", **attrs))  # type: ignore[arg-type]  # attributes of a lead


def test_a_change_that_is_answered_as_requested_is_applied() -> None:
    fake = Fake()
    outcomes = fake.apply(fake.plan(label("Hot"), lead("a", labels=refs("Hot"))))
    assert ends(outcomes) == {"label:Hot": "applied", "lead:a": "applied"}
    assert [outcome.remote_id for outcome in outcomes.values()] == ["new-1", "new-2"]
    assert details(outcomes) == ["", ""]
    assert fake.leads["new-2"]["label_ids"] == ["new-1"]


@pytest.mark.parametrize(
    ("request_", "altered", "detail"),
    [
        ("POST leadLabels", {"name": "A B"}, "name is A B, not A  B"),
        ("POST leadLabels", {"color": "blue"}, "color is blue, not red"),
        ("POST leads", {"origin_id": None}, "origin_id is None, not ns:a"),
        ("POST leads", {"origin_id": "ns:"}, "origin_id is ns:, not ns:a"),
        ("POST leads", {"title": "b"}, "title is b, not a"),
        ("POST leads", {"title": "b", "origin_id": None}, "title is b, not a; origin_id is None, not ns:a"),
    ],
)
def test_a_create_that_is_answered_otherwise_did_not_converge_and_is_not_repeated(
    request_: str, altered: dict[str, object], detail: str
) -> None:
    fake = Fake()
    fake.alters[request_] = lambda body: body | altered
    outcome = only(fake.apply(fake.plan(label("A  B") if request_.endswith("Labels") else lead("a"))))
    assert outcome.status == "failed"
    assert outcome.detail == f"not converged: Pipedrive answered that {detail}"
    assert outcome.remote_id == "new-1"
    assert fake.writes() == [request_]


def test_changes_that_fail_for_one_reason_have_one_message() -> None:
    fake = Fake()
    plan = fake.plan(*(label(f"L{number}") for number in range(30)), lead("a"))
    fake.before = {
        ("POST leadLabels", number): lambda number=number: failed(  # type: ignore[misc]  # bound here
            429, "daily request budget exceeded", **{"retry-after": "3939", "x-correlation-id": f"c{number}"}
        )
        for number in range(30)
    }
    outcomes = fake.apply(plan)
    failures = [outcome.detail for outcome in outcomes.values() if outcome.status == "failed"]
    assert len(failures) > 1
    assert {*failures} == {
        "addLeadLabel: daily budget spent, resets in 1 h 6 min (429, daily request budget exceeded, correlation id c0)"
    }
    assert len({outcome.detail for outcome in outcomes.values() if outcome.status == "skipped"}) == 1


@pytest.mark.parametrize(
    ("altered", "detail"),
    [({"title": "kept"}, "title is kept, not new"), ({"id": "2"}, "id is 2, not 1")],
)
def test_an_update_that_is_answered_otherwise_did_not_converge(altered: dict[str, str], detail: str) -> None:
    fake = Fake()
    plan = relabelled(fake, title="new")
    fake.alters["PATCH leads/1"] = lambda body: body | altered
    outcome = only(fake.apply(plan))
    assert (outcome.status, outcome.detail) == ("failed", f"not converged: Pipedrive answered that {detail}")


def test_an_update_of_a_deleted_lead_fails() -> None:
    fake = Fake()
    plan = relabelled(fake, title="new")
    fake.leads.clear()
    outcome = only(fake.apply(plan))
    assert (outcome.status, outcome.detail) == ("failed", "updateLead: 404, not found")


def test_a_delete_that_is_answered_with_404_is_applied() -> None:
    fake = Fake().with_lead("1", "ns:a")
    plan = fake.plan(replace(lead("a"), present=False))
    fake.before["DELETE leads/1", 0] = lambda: failed(404)
    outcome = only(fake.apply(plan))
    assert (outcome.status, outcome.detail) == ("applied", "it was gone already")


@pytest.mark.parametrize("answer", [ok(None), ok({"id": "1"}), ok([])])
def test_an_update_with_a_malformed_answer_is_unknown(answer: httpx.Response) -> None:
    fake = Fake()
    plan = relabelled(fake, title="new")
    fake.before["PATCH leads/1", 0] = lambda: answer
    outcome = only(fake.apply(plan))
    assert outcome.status == "unknown"
    assert outcome.detail == "the answer is not understood; the next plan will see what became of it"


def test_a_failed_change_skips_only_those_that_need_it() -> None:
    fake = Fake()
    fake.before["POST leadLabels", 0] = lambda: failed(400, "no")
    plan = fake.plan(label("A"), label("B"), lead("a", labels=refs("A")), lead("b", labels=refs("B")))
    outcomes = fake.apply(plan)
    assert ends(outcomes) == {"label:A": "failed", "label:B": "applied", "lead:a": "skipped", "lead:b": "applied"}
    assert details(outcomes) == [
        "addLeadLabel: 400, no", "", "because label:A was not applied", "",
    ]  # fmt: skip


def test_a_fatal_failure_ends_the_run() -> None:
    fake = Fake()
    fake.before["POST leadLabels", 0] = lambda: failed(401, "bad token")
    outcomes = fake.apply(fake.plan(label("A"), lead("b")))
    assert ends(outcomes) == {"label:A": "failed", "lead:b": "skipped"}
    assert details(outcomes) == [
        "addLeadLabel: 401, bad token", "because 401, bad token",
    ]  # fmt: skip


def test_changes_are_applied_in_stages() -> None:
    fake = Fake().with_label("none", "On none").with_label("old", "Old").with_lead("1", "ns:gone", "old")
    gone = replace(lead("gone"), present=False)
    plan = fake.plan(label("Hot"), label("On none", present=False), label("Old", present=False), lead("a"), gone)
    assert set(ends(fake.apply(plan)).values()) == {"applied"}
    *others, first, second = fake.writes()
    assert others == ["POST leadLabels", "POST leads", "DELETE leads/1"]
    assert {first, second} == {"DELETE leadLabels/none", "DELETE leadLabels/old"}


def test_an_observer_is_told_the_end_of_each_change() -> None:
    fake, heard = Fake(), Heard()
    fake.apply(fake.plan(label("Hot"), lead("a", labels=refs("Hot"))), heard)
    assert heard.ended == [("label:Hot", "applied"), ("lead:a", "applied")]


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        (OSError("full"), "full"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (KeyError("x"), "KeyError"),
    ],
)
def test_an_observer_that_fails_ends_the_run(fails: Exception, why: str) -> None:
    fake, heard = Fake(), Heard(fails=fails)
    outcomes = fake.apply(fake.plan(label("Hot"), lead("a"), lead("b")), heard)
    assert ends(outcomes) == {"label:Hot": "applied", "lead:a": "skipped", "lead:b": "skipped"}
    assert details(outcomes) == [
        f"but the result could not be recorded ({why})",
        *[f"because the result could not be recorded ({why})"] * 2,
    ]
    assert [outcome.remote_id for outcome in outcomes.values()] == ["new-1", None, None]
    assert fake.writes() == ["POST leadLabels"]


def test_pending_requests_are_finished_when_an_observer_fails() -> None:
    fake, heard = Fake(), Heard(fails=OSError(28, "full"))
    outcomes = fake.apply(fake.plan(*(lead(f"k{number}") for number in range(20))), heard)
    done = [key for key, end in ends(outcomes).items() if end == "applied"]
    assert 1 <= len(done) <= 8
    assert len(fake.writes()) == len(done)


def test_an_internal_error_is_the_end_of_one_change(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake()
    plan = fake.plan(label("Hot"), lead("a"))

    async def fails(*_: object, **__: object) -> None:
        raise KeyError

    monkeypatch.setattr("leadstate.engine.apply.execute.Conflicts.check", fails)
    with caplog.at_level("DEBUG", "leadstate"):
        outcomes = fake.apply(plan)
    logged = [(record.getMessage(), record.exc_info and record.exc_info[0]) for record in caplog.records]
    assert logged == [("internal error at emea/label:Hot", KeyError), ("internal error at emea/lead:a", KeyError)]
    assert set(ends(outcomes).values()) == {"unknown"}
    assert next(iter(outcomes.values())).detail == (
        "internal error (KeyError), a bug in leadstate; the next plan will see what became of it"
    )


def test_eight_changes_are_applied_at_a_time() -> None:
    fake = Fake()
    plan = fake.plan(*(lead(f"k{number}") for number in range(20)))
    counts: list[int] = []
    heard = Heard()

    def count() -> None:
        counts.append(len(fake.sent) - len(heard.ended))

    fake.before = {("POST leads", number): count for number in range(20)}
    fake.apply(plan, heard)
    assert max(counts) == 8
