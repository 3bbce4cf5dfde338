"""A token of another company is refused before anything else is read."""

import pytest

from leadstate.engine.read.observe import AnotherCompany, check_company
from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity, diagnostic_of
from leadstate.pipedrive.errors import BadAnswer
from tests.harness.builders import FREE
from tests.harness.fake_api import Fake, ok


def check(company_id: int | None, user: object = None) -> list[str]:
    """Check a token of this user, and return what was asked for it."""
    fake = Fake(before={("GET users/me", 0): lambda: ok(user)})
    account = Account("emea", "http://127.0.0.1:1", "ns", FREE, (), company_id=company_id)
    fake.run(lambda reader: check_company(account, reader))
    return fake.sent


def test_the_user_is_not_read_unless_a_company_is_declared() -> None:
    assert check(None) == []


def test_a_token_of_the_declared_company_is_right() -> None:
    assert check(7041, {"company_id": 7041}) == ["GET users/me"]


def test_a_token_of_another_company_is_an_error_of_the_account() -> None:
    with pytest.raises(AnotherCompany) as failure:
        check(1, {"company_id": 7041, "company_domain": "acme"})
    assert diagnostic_of(failure.value, "emea") == Diagnostic(
        "wrong-company",
        Severity.ERROR,
        "the token belongs to company 7041 (acme), not to 1",
        hint="use a token of that company, or correct `company_id`",
        account="emea",
    )


@pytest.mark.parametrize("user", [None, [], {"company_id": "acme"}])
def test_an_answer_that_is_no_user_is_a_bad_answer(user: object) -> None:
    with pytest.raises(BadAnswer) as failure:
        check(7041, user)
    assert str(failure.value) == "getCurrentUser: answered no user"
