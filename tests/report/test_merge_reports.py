"""What the reports of several shards say together."""

import pytest

from leadstate.report.document import Base, Report, Requests
from leadstate.report.merge_reports import merge_reports
from tests.harness.reports import account, report

READ = Requests(requests=2, tokens=20)


def compared(name: str, commit: str | None, revision: str = "main") -> Report:
    base = None if commit is None else Base(revision=revision, commit=commit, read=READ)
    return report(account(name), base=base)


def test_plans_that_were_compared_with_one_commit_are_so_together() -> None:
    whole = merge_reports([compared("emea", "c0ffee"), compared("us", "c0ffee")])
    assert whole.base == Base(revision="main", commit="c0ffee", read=Requests(requests=4, tokens=40))


@pytest.mark.parametrize("other", [compared("us", "decade"), compared("us", None), compared("us", "c0ffee", "HEAD")])
def test_plans_that_were_compared_with_different_revisions_have_no_base_together(other: Report) -> None:
    assert merge_reports([compared("emea", "c0ffee"), other]).base is None
