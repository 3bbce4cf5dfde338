"""Whose token it is: what getCurrentUser tells of the user and the company."""

from typing import Annotated, Any

from pydantic import Field

from leadstate.kinds.base import Wire


class Me(Wire):
    """The token's user and company (Pipedrive API: getCurrentUser)."""

    name: str = ""
    company_id: int | None = None
    company_name: str = ""
    company_domain: str = ""
    access: Annotated[list[dict[str, Any]], Field(default_factory=list)]

    @property
    def admin(self) -> bool:
        """Whether the user is an admin of sales: others may not see every lead."""
        return any(right.get("app") in ("global", "sales") and right.get("admin") is True for right in self.access)
