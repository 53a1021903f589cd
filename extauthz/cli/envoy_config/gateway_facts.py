"""What a configuration of ours means for Envoy's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from extauthz.catalog.file_source import load_contents
from extauthz.model.api import WEBSOCKET, Api
from extauthz.model.host_port import address_here
from extauthz.model.opaque_tokens import OpaqueTokenRule
from extauthz.settings.backend_jwt import BackendJwtSettings
from extauthz.settings.callers import AddressSource
from extauthz.settings.process import Settings

_DEFAULT_API_KEY_HEADER = "x-api-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRead:
    """A request header that a Check needs."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFacts:
    """All that Envoy's configuration must know about ours."""

    address: str
    """Where Envoy reaches us: `host:port` or `unix:/path`."""
    tls: bool
    client_names: Sequence[str]
    """One of these must be in Envoy's own certificate; none: Envoy needs no certificate."""
    check_seconds: float
    headers: Sequence[HeaderRead]
    own_headers: Sequence[str]
    """Of requests to the upstream, in lower case: ours alone, a client's own is removed."""
    credential_headers: Sequence[str]
    """In lower case: what we take away before the upstream."""
    peer_certificate: bool
    """Whether the certificate on Envoy's connection is looked at."""
    catalog_known: bool
    """Whether the headers of all APIs are known here."""


def gateway_facts(settings: Settings, address: str | None, catalog: Path | None) -> GatewayFacts:
    """The facts; without a catalog, what APIs may need is assumed.

    Raises:
        DocumentError: the catalog cannot be used.
    """
    contents = load_contents(catalog) if catalog is not None else None
    apis = None if contents is None else contents.apis
    rules = () if contents is None else contents.opaque_tokens.rules
    api_keys = sorted(_api_key_headers(settings, apis))
    header: str = BackendJwtSettings.model_fields["header"].default
    own = [settings.backend_jwt.header if settings.backend_jwt else header, *settings.upstream_headers]
    read = [
        *_headers_of_settings(settings),
        *_headers_of_apis(apis),
        *(HeaderRead(name=name, reason="API keys: a header that APIs name") for name in api_keys),
        *(HeaderRead(name=name, reason="a rule of `opaque_tokens` looks at it") for name in sorted(_hinted(rules))),
    ]
    return GatewayFacts(
        address=address or address_here(settings.listen),
        tls=settings.tls is not None,
        client_names=sorted(settings.tls.client_names) if settings.tls is not None else (),
        check_seconds=settings.limits.check_seconds,
        headers=list({each.name: each for each in read}.values()),
        own_headers=[name.lower() for name in own],
        credential_headers=["authorization", "dpop", "x-forwarded-client-cert", *api_keys],
        peer_certificate=settings.client_certificate.source == "peer",
        catalog_known=apis is not None,
    )


def _headers_of_settings(settings: Settings) -> Iterator[HeaderRead]:
    yield HeaderRead(name="authorization", reason="access tokens")
    yield HeaderRead(name="x-request-id", reason="names the request in our log and in Envoy's")
    if settings.dpop is not None:
        yield HeaderRead(name="dpop", reason="a proof beside the token (RFC 9449)")
    if settings.client_certificate.source != "peer":
        yield HeaderRead(name="x-forwarded-client-cert", reason="client_certificate.source of the settings")
    if settings.client_address.source is AddressSource.FORWARDED_FOR:
        yield HeaderRead(name="x-forwarded-for", reason="client_address.source of the settings")
    if settings.api_keys is not None:
        yield HeaderRead(name="referer", reason="API keys with `allowed_referers`")


def _headers_of_apis(apis: Sequence[Api] | None) -> Iterator[HeaderRead]:
    if apis is None or any(api.cors for api in apis):
        yield HeaderRead(name="origin", reason="APIs with `cors`")
        yield HeaderRead(name="access-control-request-method", reason="tells a preflight")
    if apis is None or any(WEBSOCKET in resource.methods for api in apis for resource in api.resources):
        yield HeaderRead(name="upgrade", reason="resources with the method WEBSOCKET")


def _api_key_headers(settings: Settings, apis: Sequence[Api] | None) -> set[str]:
    if settings.api_keys is None:
        return set()
    if apis is None:
        return {_DEFAULT_API_KEY_HEADER}
    return {api.security.api_key.header for api in apis if api.security.api_key and api.security.api_key.header}


def _hinted(rules: Sequence[OpaqueTokenRule]) -> set[str]:
    return {rule.header[0] for rule in rules if rule.header is not None}
