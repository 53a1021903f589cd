"""The gRPC server: its TLS, and what a connection may cost."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import Text

# An IP address has no letter, a mail address has no `//`: neither can be meant by one of these.
_CLIENT_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|[A-Za-z][A-Za-z0-9+.-]*://[!-~]+")


def _client_name(value: str) -> str:
    if not _CLIENT_NAME.fullmatch(value):
        raise ValueError("must be a DNS name without `*`, or a URI like `spiffe://example.org/ns/gateway/sa/envoy`")
    return value


ClientName = Annotated[Text, AfterValidator(_client_name)]


class TlsSettings(Strict):
    """TLS towards Envoy. The files are read again when they change."""

    certificate: Text
    """PEM file: our certificate, and its chain."""
    key: Text
    """PEM file: its private key, RSA of at least 2048 bits, EC P-256 or P-384."""
    client_ca: Text | None = None
    """PEM file: authorities of clients' certificates, which are then required. None: everybody may call."""
    client_names: frozenset[ClientName] = frozenset()
    """With `client_ca`: DNS names and URIs; a client's certificate must have one of them, to the letter."""
    reload_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 10.0
    """How often the files are looked at."""

    def contradictions(self) -> Iterator[Mistake]:
        """An authority says who somebody is, and only names say who may call."""
        if self.client_ca is not None and not self.client_names:
            hint = "those of Envoy's certificate"
            yield Mistake(location=("client_names",), message="`client_ca` needs names of clients", hint=hint)
        if self.client_ca is None and self.client_names:
            yield Mistake(location=("client_ca",), message="without it no client shows a name: remove `client_names`")


class GrpcSettings(Strict):
    """Limits of the gRPC server."""

    max_connection_age_seconds: Annotated[float, Field(ge=1, le=86_400)] = 600.0
    """Then Envoy is asked to connect anew, so that it finds new replicas; gRPC adds up to 10 % either way."""
    max_connection_age_grace_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    """After that: how long Checks on the old connection may take to finish."""
    keepalive_seconds: Annotated[float, Field(ge=5, le=7200)] = 60.0
    """Silence after which a connection is asked for a sign of life, which must come within 20 s."""
    max_concurrent_streams: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Checks at a time on one connection; Envoy opens another one for more."""
    max_message_bytes: Annotated[int, Field(ge=262_144, le=268_435_456)] = 16_777_216
    """A longer message is a failed call. Keep it above Envoy's `max_request_headers_kb` and any body it sends."""
    max_metadata_bytes: Annotated[int, Field(ge=16_384, le=16_777_216)] = 131_072
    """Headers of a Check's own call: more is a failed call. Keep it above Envoy's `max_request_headers_kb`."""
    reflection: bool = False
    """Whether tools such as `grpcurl` may ask for the messages."""
    socket_mode: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] | None = None
    """With `listen: unix:...`: permissions of the socket, such as `"0660"`. None: what the umask leaves."""
