"""`jwtConfig` and `jwtGeneratorConfig`: what the backend is told."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from extauthz.microgateway.report import Report, Secret
from extauthz.microgateway.source import Table
from extauthz.microgateway.yaml_text import Said

DEFAULT_HEADER = "X-JWT-Assertion"
_ALGORITHMS = {"SHA256withRSA": "RS256"}
_KEY = "backend-jwt-key"
_MIN_SECONDS, _MAX_SECONDS = 10, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What becomes of both tables."""

    backend_jwt: dict[str, Any] | None
    cache: dict[str, Any] | None
    pass_through: Said | None
    """For each key manager."""


def upstream(config: Table, generator: Table, report: Report) -> Upstream:
    """A Microgateway passes a token's `backendJwt` claim on, and makes a token of its own where that is enabled."""
    header, generates = config.text("header"), bool(generator.flag("jwtGeneratorEnabled"))
    caching = _caching(generator.table("jwtGeneratorCaching")) if generates else None
    if not generates:
        generator.leave("not carried over: it is not enabled")
    settings: dict[str, Any] | None = None
    if generates:
        settings = _generated(generator, report)
        if config:
            text = (
                "a `backendJwt` claim is passed on only for key managers with `backend_jwt: pass_through`; here we sign"
            )
            report.note(config.name, text)
    elif header is not None and header.lower() != DEFAULT_HEADER.lower():
        settings = {}
    if settings is not None and header is not None:
        settings["header"] = Said(header, config.path("header"))
    return Upstream(
        backend_jwt=settings,
        cache=caching,
        pass_through=Said("pass_through", config.name) if config and not generates else None,
    )


def _generated(table: Table, report: Report) -> dict[str, Any]:
    alias = table.text("privateKeyAlias")
    algorithm = table.text("signingAlgorithm")
    if algorithm is not None and algorithm not in _ALGORITHMS:
        report.note(table.path("signingAlgorithm"), "a backend JWT is always signed: RS256 is written")
    if table.text("certificateAlias") is not None:
        text = "not needed: upstreams verify by the JWK set of the operations port, /jwks"
        report.note(table.path("certificateAlias"), text)
    key = _key(report, table.path("privateKeyAlias"))
    text = (
        f"is in a Java keystore: keytool -importkeystore -srckeystore KEYSTORE -srcalias {alias or 'ALIAS'} "
        f"-destkeystore key.p12 -deststoretype PKCS12, then openssl pkcs12 -in key.p12 -nodes -nocerts -out {_KEY}.pem"
    )
    report.note(table.path("privateKeyAlias"), text)
    generator = table.text("generatorImpl")
    if generator is not None:
        text = "a Java class, not carried over; claims of your own come from an extension (docs/extensions.md)"
        report.note(table.path("generatorImpl"), text)
    settings: dict[str, Any] = {"keys": [{"key": key, "algorithm": "RS256"}]}
    for ours, key_name, value in (
        ("issuer", "issuer", table.text("issuer")),
        ("audience", "audience", table.texts("audience") or None),
        ("dialect", "claimDialect", table.text("claimDialect")),
        ("convert_dialect", "convertDialect", table.flag("convertDialect")),
        ("restricted_claims", "restrictedClaims", table.texts("restrictedClaims") or None),
        ("ttl_seconds", "tokenExpiry", _life(table, report)),
    ):
        settings[ours] = Said(value, table.path(key_name))
    return settings


def _life(table: Table, report: Report) -> int | None:
    milliseconds = table.number("tokenExpiry")
    if milliseconds is None:
        return None
    seconds = min(max(ceil(milliseconds / 1000), _MIN_SECONDS), _MAX_SECONDS)
    report.note(table.path("tokenExpiry"), f"milliseconds: {seconds} s are written")
    return seconds


def _caching(table: Table) -> dict[str, Any] | None:
    enabled, entries = table.flag("tokenCacheEnable"), table.number("tokenCacheCapacity")
    table.leave("not carried over: a backend JWT is used until shortly before its end")
    if enabled is None and not entries:
        return None
    return {
        "enabled": Said(enabled, table.path("tokenCacheEnable")),
        "entries": Said(int(entries), table.path("tokenCacheCapacity")) if entries else None,
    }


def _key(report: Report, key: str) -> str:
    report.secrets[_KEY] = Secret(key=key, file=f"{_KEY}.pem")
    return _KEY
