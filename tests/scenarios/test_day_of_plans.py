"""A day of hourly plans, on the meter: 200 declared leads in an account of 50,000 live ones, of 30,000 tokens a day.

Ways and costs depend on how many pages the list had, which is remembered, and not on the leads themselves; so a few
of those stand for all here, and `python -m benchmarks --only day-full` does it at full size.
"""

from dataclasses import replace

from tests.harness.builders import label, lead
from tests.harness.recorded_reads import BEGIN, Company

DECLARED = 200
PAGES = 101
BUDGET = 30_000
UNMANAGED = DECLARED + 1


def test_a_day_of_hourly_plans_fits_into_the_smallest_budget() -> None:
    company = Company(DECLARED, others=300, pages=PAGES)
    wanted = [label("Hot"), *(replace(lead(f"k{number}"), leave_gone=True) for number in range(DECLARED))]
    account = company.account(*wanted)
    drifted = []
    for hour in range(24):
        company.update(UNMANAGED + hour, title="people work here")
        if hour == 12:
            company.update(7, title="drifted")
        plan = company.plan(account)
        drifted.append(len(plan.changes))
        company.later(hours=1)
    assert drifted == [0] * 12 + [1] * 12, "a lead that people changed is seen in the same hour"
    assert (company.now - BEGIN).days == 1
    tokens = company.tokens
    assert 0 < tokens <= BUDGET * 35 // 100
