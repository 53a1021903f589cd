"""How this service proves who it is to an authorization server (RFC 6749 §2.3, RFC 8705 §2)."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote_plus


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProof:
    """What a request carries to prove its sender: headers, form parameters, or both; good for one request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    discard: Callable[[], None] | None = field(default=None, repr=False)
    """To be called when the endpoint answers with 401: the next proof is another one. None: there is no other."""


class ClientAuthentication(Protocol):
    """Proves to an authorization server who is asking.

    A proof may be a header (Basic, a bearer token), form parameters (`client_assertion`, RFC 7523 §2.2), or little more
    than a name where the TLS connection is the proof (RFC 8705 §2).
    """

    async def prove(self, endpoint: str) -> ClientProof:
        """What a request to this endpoint must carry.

        Raises:
            Unavailable: the proof itself could not be had.
        """
        ...

    async def close(self) -> None:
        """Ends what runs in the background."""
        ...


class NothingToClose:
    """A way of authenticating with nothing in the background."""

    async def close(self) -> None:
        """See `ClientAuthentication`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicClientAuthentication(NothingToClose):
    """HTTP Basic with a client id and secret, or with a user of the server (RFC 6749 §2.3.1).

    Both are form-encoded before base64, as the RFC demands. That changes nothing for letters, digits and `-._~`; for
    anything else some servers wrongly take the header as it is (plain RFC 7617), so choose such a password.
    """

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.username:
            raise ValueError("the username is empty")

    async def prove(self, endpoint: str) -> ClientProof:  # noqa: ARG002 - Basic is the same for every endpoint
        """The Authorization header."""
        # RFC 6749 Appendix B: UTF-8, then application/x-www-form-urlencoded; so a colon never splits the name.
        pair = f"{quote_plus(self.username)}:{quote_plus(self.password)}"
        credentials = base64.b64encode(pair.encode("ascii")).decode("ascii")
        return ClientProof(headers={"Authorization": f"Basic {credentials}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PostClientAuthentication(NothingToClose):
    """`client_id` and `client_secret` in the form (RFC 6749 §2.3.1)."""

    client_id: str
    client_secret: str = field(repr=False)

    async def prove(self, endpoint: str) -> ClientProof:  # noqa: ARG002 - the same for every endpoint
        """The form parameters."""
        return ClientProof(form={"client_id": self.client_id, "client_secret": self.client_secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprovenClient(NothingToClose):
    """`client_id` alone: of a public client (RFC 6749 §3.2.1), or where TLS is the proof (RFC 8705 §2)."""

    client_id: str

    async def prove(self, endpoint: str) -> ClientProof:  # noqa: ARG002 - the same for every endpoint
        """The form parameter."""
        return ClientProof(form={"client_id": self.client_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedBearerToken(NothingToClose):
    """A bearer token that cannot be renewed (RFC 6750 §2.1)."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_bearer_token(self.token):
            raise ValueError("a bearer token has letters, digits and some signs, and no space")

    async def prove(self, endpoint: str) -> ClientProof:  # noqa: ARG002 - the same for every endpoint
        """The Authorization header."""
        return ClientProof(headers={"Authorization": f"Bearer {self.token}"})


def is_bearer_token(text: str) -> bool:
    """Whether a text can follow `Bearer `: visible ASCII, which is more than RFC 6750 §2.1 has but no header breaks."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
