"""The operations about the account itself: who the token is, who works there, where leads come from.

They only read. What a seed does not say about a user (phone, locale, dates) is the same made-up value for everyone.
"""

from leadstate.sandbox.api.wire import Call, Reply, success
from leadstate.sandbox.state.records import LEAD_SOURCES, Body, User

_SINCE = "2024-01-08 09:00:00"
_PERMISSION_SET = "62cc4d7f-4038-4352-abf3-a8c1c822b6{:02x}"


def get_current_user(call: Call) -> Reply:
    """Operation getCurrentUser: the first user of the company, with the company."""
    company = call.company
    return success(
        {
            **_user(company.users[0], first=True),
            "company_id": company.id,
            "company_name": company.name,
            "company_domain": company.domain,
            "company_country": "EE",
            "company_industry": "Other",
            "language": {"language_code": "en", "country_code": "US"},
        }
    )


def get_users(call: Call) -> Reply:
    """Operation getUsers: all users, without pagination."""
    return success([_user(user, first=index == 0) for index, user in enumerate(call.company.users)])


def get_lead_sources(_call: Call) -> Reply:
    """Operation getLeadSources."""
    return success([{"name": name} for name in LEAD_SOURCES])


def _user(user: User, *, first: bool) -> Body:
    """Return a user in the vendor's shape. The first one owns the token and administers the company."""
    apps = ("sales", "global", "account_settings") if first else ("sales", "global")
    return {
        "id": user.id,
        "name": user.name,
        "default_currency": "EUR",
        "locale": "en_US",
        "lang": 1,
        "email": user.email,
        "phone": None,
        "activated": True,
        "last_login": _SINCE,
        "created": _SINCE,
        "modified": None,
        "has_created_company": first,
        "access": [
            {"app": app, "admin": first, "permission_set_id": _PERMISSION_SET.format(index)}
            for index, app in enumerate(apps)
        ],
        "active_flag": user.active_flag,
        "timezone_name": "Etc/UTC",
        "timezone_offset": "+00:00",
        "role_id": 1,
        "icon_url": None,
        "is_you": first,
        "is_deleted": False,
    }
