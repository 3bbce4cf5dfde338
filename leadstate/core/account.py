"""One account as the engine gets it: where it is, what it shall hold, what it allows. No token: clients hold those."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from leadstate.core.policy import Policy
from leadstate.core.resource import Desired


@dataclass(frozen=True, slots=True)
class Account:
    """A declared account.

    Attributes:
        name: its name in the configuration.
        origin: scheme, host and port, `https://acme-emea.pipedrive.com`.
        namespace: prefix of our leads' ownership marks; None where no leads are declared.
        policy: its rules.
        desired: what it shall hold.
    """

    name: str
    origin: str
    namespace: str | None
    policy: Policy
    desired: tuple[Desired, ...]

    @property
    def host(self) -> str:
        """Host and port, as people know the account."""
        return urlsplit(self.origin).netloc

    def of_kind(self, kind: str) -> tuple[Desired, ...]:
        """The declared objects of one kind."""
        return tuple(item for item in self.desired if item.address.kind == kind)

    def owns(self, mark: str | None) -> bool:
        """Whether a live object carries a mark of this configuration's namespace (spec section 2)."""
        return mark is not None and self.namespace is not None and mark.startswith(f"{self.namespace}:")
