"""Applications, subscriptions and API keys as operators write them in YAML."""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from extauthz.catalog.values import Id, Scope, Text
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.application import KeyType
from extauthz.model.subscription import SubscriptionState

_REFERER_PATTERN = (
    r"^(?:https?://)?(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?(?:/[!$&-;=@-Z_a-z~%-]*\*?)?$"
)


class ApplicationKeyDocument(Strict):
    """A client of an application."""

    key_manager: Id
    """Id of the key manager that the client is known to."""
    client_id: Text
    """What tokens of the client name."""
    key_type: KeyType = KeyType.PRODUCTION
    """What its tokens are for."""


class ApplicationDocument(Strict):
    """A consumer of APIs."""

    id: Id
    """Unique."""
    organization: Id | None = None
    """Without it, that of the file."""
    name: Text
    """Told to the upstream."""
    owner: str = ""
    """Told to the upstream."""
    policy: Text = "Unlimited"
    """Its own tier, beside that of each subscription."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Told to the upstream in the backend JWT."""
    keys: tuple[ApplicationKeyDocument, ...] = ()
    """Its OAuth clients."""


class SubscriptionDocument(Strict):
    """An application's right to call an API; `id` is made of both where it is not given."""

    application: Id
    """Id of the application."""
    api: Id
    """Id of the API."""
    id: Id | None = None
    """Names it in `extauthz catalog diff`."""
    organization: Id | None = None
    """Without it, that of the file."""
    policy: Text = "Unlimited"
    """Tier, told to Envoy and to the upstream."""
    state: SubscriptionState = SubscriptionState.UNBLOCKED
    """`BLOCKED` and others refuse."""


def _is_network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as error:
        raise ValueError("must be an address or a network, e.g. `192.0.2.7` or `2001:db8::/32`") from error
    return value


def _is_time(value: str) -> str:
    try:
        zone = datetime.fromisoformat(value).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise ValueError("must be a time with its zone, e.g. `2027-01-31T12:00:00Z`")
    return value


class ApiKeyDocument(Strict):
    """A key of an application, by its hash (`extauthz api-key create`)."""

    id: Id
    """Unique in its organization."""
    organization: Id | None = None
    """Without it, that of the file."""
    hash: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
    """32 bytes, base64url."""
    application: Id
    """Id of the application that calls with it."""
    key_type: KeyType = KeyType.PRODUCTION
    """What its calls are for."""
    scopes: frozenset[Scope] = frozenset()
    """Granted to whoever calls with it."""
    expires_at: Annotated[str, AfterValidator(_is_time)] | None = None
    """With its zone, `2027-01-31T12:00:00Z`; without it, it does not end."""
    enabled: bool = True
    """False: it is refused."""
    allowed_addresses: tuple[Annotated[str, AfterValidator(_is_network)], ...] = ()
    """Addresses and networks it may be used from; none: any."""
    allowed_referers: tuple[Annotated[str, Field(pattern=_REFERER_PATTERN)], ...] = ()
    """Pages it may be used from; none: any."""

    def contradictions(self) -> Iterator[Mistake]:
        """A hash of 32 bytes has four bits to spare, which are zero."""
        if self.hash[-1] not in "AEIMQUYcgkosw048":
            yield Mistake(location=("hash",), message="is not 32 bytes in base64url")
