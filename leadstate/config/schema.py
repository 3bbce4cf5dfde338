"""What people may write, as models: the top level, accounts, policy (spec section 2). Labels and leads are kinds.

Fields are no unions where it can be avoided, so that an error's path leads to one place in the file. Says nothing about
how things fit together; the rules do.
"""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from leadstate.config.leads_from import LeadsFrom
from leadstate.config.token_spec import TokenSpec
from leadstate.config.urls import Domain, Url
from leadstate.kinds.kind import RemoteId, Spec
from leadstate.kinds.label import LabelSpec
from leadstate.kinds.lead_spec import LeadSpec, Plan

AccountName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=100)]

Labels = Literal["none", "locked", "all"]
Leads = Literal["none", "owned"]
Limit = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]


class PruneSpec(Spec):
    """Which undeclared objects are deleted."""

    labels: Annotated[
        Labels,
        Field(description="all: delete every label that is not declared; locked: those that the lock file knows."),
    ] = "none"
    leads: Annotated[Leads, Field(description="owned: delete leads of this namespace that are not declared.")] = "none"


class GuardsSpec(Spec):
    """How much one run may do; null for no limit."""

    max_deletes: Annotated[Limit | None, Field(description="Deletes of one run.")] = 10
    max_delete_percent: Annotated[Percent | None, Field(description="Deletes, in percent of what exists.")] = 30
    max_tokens: Annotated[Limit | None, Field(description="API tokens that one apply may cost.")] = None


class PolicySpec(Spec):
    """What a run may do to what is not declared, and how much at once."""

    prune: Annotated[PruneSpec, Field(description="Which undeclared objects are deleted.")] = PruneSpec()
    guards: Annotated[GuardsSpec, Field(description="How much one run may do; null for no limit.")] = GuardsSpec()
    in_use: Annotated[Literal["refuse", "allow"], Field(description="Deleting a label that leads still carry.")] = (
        "refuse"
    )
    archived_pages: Annotated[
        int, Field(ge=0, le=600, description="How many pages of 500 archived leads may be read to look for a lead.")
    ] = 10


class AccountSpec(Spec):
    """One Pipedrive account."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["domain"]}, {"required": ["url"]}]})

    domain: Domain = ""
    url: Url = ""
    company_id: Annotated[
        RemoteId | None, Field(description="Id of the company: a token of another one is refused.")
    ] = None
    plan: Annotated[Plan | None, Field(description="What the company has bought: it tells what visible_to means.")] = (
        None
    )
    token: Annotated[
        TokenSpec,
        Field(description="Where the API token comes from, or what gives access tokens; never the token itself."),
    ]
    tags: Annotated[list[Tag], Field(description="Words that select this account as tag:WORD.")] = Field(
        default_factory=list
    )
    vars: Annotated[dict[VariableName, str], Field(description="What ${name} stands for in this account.")] = Field(
        default_factory=dict
    )
    policy: Annotated[PolicySpec, Field(description="What is different from the policy above.")] = PolicySpec()

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if len(self.model_fields_set & {"domain", "url"}) != 1:
            raise PydanticCustomError("account_address", "an account has either a `domain` or a `url`")
        return self

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.url or f"https://{self.domain}.pipedrive.com"


class Document(Spec):
    """One file of a configuration."""

    version: Annotated[Literal[1], Field(description="Version of this format; once over all files.")] = 1
    namespace: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._-]*$",
            max_length=50,
            description="Marks the leads that this configuration owns; required as soon as leads are declared.",
        ),
    ] = ""
    accounts: Annotated[dict[AccountName, AccountSpec], Field(description="Name → account.")] = Field(
        default_factory=dict
    )
    policy: Annotated[PolicySpec, Field(description="For every account; an account may override any of it.")] = (
        PolicySpec()
    )
    labels: Annotated[list[LabelSpec], Field(description="The lead labels.")] = Field(default_factory=list)
    leads_from: LeadsFrom = Field(default_factory=list)
    leads: Annotated[list[LeadSpec], Field(description="The seeded leads.")] = Field(default_factory=list)
