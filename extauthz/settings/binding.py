"""How tokens are verified that are bound to a certificate or to a key."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.key_manager import SIGNATURE_ALGORITHMS
from extauthz.settings.values import Text


class ClientCertificateSettings(Strict):
    """Where the certificate is found that a token may be bound to (RFC 8705)."""

    source: Literal["peer", "x-forwarded-client-cert"] = "peer"
    """Envoy's own connection, or the last element of a header, which only trusted proxies may be able to write."""


class DpopSettings(Strict):
    """Tokens that are bound to a key of the client's (RFC 9449)."""

    algorithms: Annotated[frozenset[Text], Field(min_length=1)] = frozenset({"ES256", "EdDSA", "PS256", "RS256"})
    """What proofs may be signed with."""
    max_age_seconds: Annotated[float, Field(ge=1, le=600)] = 60.0
    """How old a proof may be; every proof is remembered for as long."""
    future_skew_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How far ahead a client's clock may be."""
    scheme: Literal["http", "https"] | None = None
    """Where TLS ends before Envoy: `https`. None: as Envoy sees it."""
    nonce_secret: tuple[Text, ...] = ()
    """Names of secrets of at least 32 bytes, the same on every replica: the first makes nonces, all check. None: no
    proof needs a nonce."""
    nonce_seconds: Annotated[float, Field(ge=1, le=3600)] = 300.0
    """How long a nonce is good."""
    replay_entries: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Proofs remembered in process, with `cache.backend: memory`; about 20 MiB. Beyond them, refusals with 503."""

    def contradictions(self) -> Iterator[Mistake]:
        """Asymmetric signatures only."""
        for name in sorted(self.algorithms - SIGNATURE_ALGORITHMS):
            hint = f"known are {', '.join(sorted(SIGNATURE_ALGORITHMS))}"
            yield Mistake(location=("algorithms",), message=f"`{name}` cannot be allowed", hint=hint)
