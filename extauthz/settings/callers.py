"""How callers are told apart who come without a token."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import Text


class ApiKeySettings(Strict):
    """API keys."""

    secret: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Names of secrets of at least 32 bytes, the same on every replica: the first hashes new keys, all match."""


class AddressSource(StrEnum):
    """Who says which address the client has."""

    PEER = "peer"
    """Envoy's own connection."""
    FORWARDED_FOR = "x-forwarded-for"


class ClientAddressSettings(Strict):
    """Which address a client has."""

    source: AddressSource = AddressSource.PEER
    trusted_hops: Annotated[int, Field(ge=0, le=16)] = 0
    """With `x-forwarded-for`: how many proxies stand before Envoy, which appends its peer (`use_remote_address`)."""

    def contradictions(self) -> Iterator[Mistake]:
        """Hops are counted in the header."""
        if self.trusted_hops and self.source is AddressSource.PEER:
            yield Mistake(location=("trusted_hops",), message="goes with `source: x-forwarded-for`")
