"""How this service proves who it is to an authorization server (RFC 6749 §2.3)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProof:
    """What a request carries to prove its sender: headers, form parameters, or both."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicClientAuthentication:
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
