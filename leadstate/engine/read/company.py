"""Whether the token belongs to the company that the account is declared to be (spec section 2, `company_id`)."""

from pydantic import ValidationError

from leadstate.kinds.company import Me
from leadstate.model.account import Account
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.pipedrive.client import Reader
from leadstate.pipedrive.errors import BadAnswer
from leadstate.pipedrive.operations import GET_ME, Request


async def wrong_company(account: Account, reader: Reader) -> Diagnostic | None:
    """What speaks against using this token here; None where it is right, or nothing is declared about it.

    Raises:
        ApiError: the account could not be asked.
    """
    if account.company_id is None:
        return None
    try:
        me = Me.model_validate((await reader.get(Request(GET_ME))).data)
    except ValidationError:
        raise BadAnswer(GET_ME.id, "answered no user") from None
    if me.company_id == account.company_id:
        return None
    return Diagnostic(
        "wrong-company",
        Severity.ERROR,
        f"the token belongs to company {me.company_id} ({me.company_domain}), not to {account.company_id}",
        hint="use a token of that company, or correct `company_id`",
        account=account.name,
    )
