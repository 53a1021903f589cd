"""A Microgateway's `micro-gw.conf` as our settings and our catalog."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from extauthz.microgateway.caching import caching
from extauthz.microgateway.issuers import JwtIssuer
from extauthz.microgateway.key_manager import Introspecting
from extauthz.microgateway.left_out import tell_left_out
from extauthz.microgateway.report import Report
from extauthz.microgateway.source import Table, read
from extauthz.microgateway.upstream import upstream
from extauthz.microgateway.yaml_text import Said, plain, yaml_text
from extauthz.model.key_manager import MAX_CLOCK_SKEW_SECONDS

SETTINGS = "extauthz.yaml"
CATALOG = "catalog.yaml"
CERTIFICATES = "certificates"
_NO_ID = str.maketrans(dict.fromkeys(":[]", "-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """Two files, and all that is not in them."""

    settings: str
    catalog: str
    report: Report


def converted(text: str, source: str) -> Converted:
    """Reads a `micro-gw.conf`, whole or in part.

    Raises:
        DocumentError: it is not TOML.
    """
    report = Report()
    top = read(text, source, report)
    backend = upstream(top.table("jwtConfig"), top.table("jwtGeneratorConfig"), report)
    caches = caching(top.table("caching"), report) or {}
    if backend.cache is not None:
        caches["backend_jwt"] = backend.cache
    key_managers = _key_managers(top, report)
    for key_manager in key_managers:
        key_manager["backend_jwt"] = backend.pass_through
    if backend.pass_through and not key_managers:
        text = "`backend_jwt: pass_through` belongs to a key manager, and the file has none"
        report.note(backend.pass_through.source, text)
    tell_left_out(top, report)
    return Converted(
        settings=_settings_text(source, backend.backend_jwt, caches, report),
        catalog=_catalog_text(source, key_managers),
        report=report,
    )


def _key_managers(top: Table, report: Report) -> list[dict[str, Any]]:
    event_hub = bool(top.table("apim").table("eventHub").flag("enable"))
    found = [JwtIssuer(table, report, event_hub=event_hub).document() for table in top.tables("jwtTokenConfig")]
    table = top.table("keyManager")
    skew = _clock_skew(top.table("server"), table, report)
    # A file may tell the skew alone.
    if table:
        introspecting = Introspecting(table, report)
        _add_introspection(found, introspecting.document(), introspecting, report, table)
    _tell_same_issuers(found, report)
    ids = _ids(str(plain(one["issuer"]) or "") for one in found)
    return [{"id": name, **one, "clock_skew_seconds": skew} for name, one in zip(ids, found, strict=True)]


def _add_introspection(
    found: list[dict[str, Any]], added: dict[str, Any], introspecting: Introspecting, report: Report, table: Table
) -> None:
    """One server that issues JWTs and opaque tokens is one key manager."""
    key = table.path("enableIntrospectForFailedJWT")
    failed_jwt = introspecting.failed_jwt
    for one in found:
        if plain(one["issuer"]) == plain(added["issuer"]):
            one["introspection"] = added["introspection"]
            if plain(one["subscription_validation"]) != "catalog":
                text = f"opaque tokens of this issuer are as its JWTs: {plain(one['subscription_validation'])}"
                report.note(one["subscription_validation"].source, text)
            one["introspect_failed_jwt"] = Said(failed_jwt or None, key)
            return
    if failed_jwt:
        report.note(key, "not carried over: no jwtTokenConfig has the issuer of keyManager")
    found.append(added)
    text = "clients need a subscription in the catalog; `subscription_validation: off` lets every valid token in"
    report.note(table.name, text)


def _clock_skew(server: Table, key_manager: Table, report: Report) -> Said | None:
    """3.2 has it in `server`, the others in `keyManager`."""
    table = server if "timestampSkew" in server else key_manager
    milliseconds = table.number("timestampSkew")
    if milliseconds is None:
        return None
    seconds = min(ceil(milliseconds / 1000), MAX_CLOCK_SKEW_SECONDS)
    text = f"documented as seconds, used as milliseconds: `clock_skew_seconds: {seconds}` is written"
    report.note(table.path("timestampSkew"), text)
    return Said(seconds, table.path("timestampSkew"))


def _tell_same_issuers(found: list[dict[str, Any]], report: Report) -> None:
    seen: list[str] = []
    for one in found:
        issuer = plain(one["issuer"])
        if issuer in seen:
            text = (
                "is that of another table as well. A Microgateway tries one after the other; here the token's `aud` "
                "chooses: give each of them audiences, without a common one"
            )
            report.note(one["issuer"].source, text)
        elif issuer:
            seen.append(issuer)


def _ids(issuers: Iterable[str]) -> list[str]:
    """The issuers' hosts, with a number from the second one of a host on."""
    ids: list[str] = []
    for issuer in issuers:
        host = (urlsplit(issuer).hostname or "key-manager").translate(_NO_ID).strip("-")
        number = sum(name == host or name.startswith(f"{host}-") for name in ids)
        ids.append(f"{host}-{number + 1}" if number else host)
    return ids


def _settings_text(source: str, backend_jwt: dict[str, Any] | None, caches: dict[str, Any], report: Report) -> str:
    secrets = {
        name: Said({"env": secret.env, "file": secret.file, "hosts": sorted(secret.hosts) or None}, secret.key)
        for name, secret in report.secrets.items()
    }
    document = {
        "catalog": {"file": CATALOG},
        "cache": caches or None,
        "backend_jwt": backend_jwt,
        "errors": {"format": Said("fault", "the body of a Microgateway's refusals")},
        "secrets": secrets or None,
    }
    return f"# Settings of `extauthz serve`, from {Path(source).name}.\n{yaml_text(document)}"


def _catalog_text(source: str, key_managers: list[dict[str, Any]]) -> str:
    aliases = any("certificates" in one.get("jwt", {}) for one in plain(key_managers))
    document = {"certificate_directory": CERTIFICATES if aliases else None, "key_managers": key_managers}
    apis = "# Add `apis` (docs/catalog.md): a Microgateway has them in OpenAPI documents.\n"
    return f"# Catalog of extauthz, from {Path(source).name}.\n{apis}{yaml_text(document)}"
