"""What was expected of an answer, and what came."""

from collections.abc import Iterator, Mapping

from extauthz.cli.check.expectations import ExpectDocument
from extauthz.cli.check.source import Told
from extauthz.model.check import Allow, Deny


def differences(expect: ExpectDocument, told: Told) -> list[str]:
    """In what the answer is not the expected one; empty: in nothing."""
    answer, known = told.answer, known_of(told)
    decision = "allow" if answer.allowed else "deny"
    if decision != expect.decision:
        why = "" if answer.allowed else f" ({known['reason']}, {answer.http_status})"
        why = f" (in shadow mode; {known['reason']} otherwise)" if answer.shadow_reason else why
        return [f"decision is {decision}{why}, not {expect.decision}"]
    actual = {**known, "code": answer.code, "status": answer.http_status}
    found = [
        f"{name} is {_told(actual[name])}, not {wanted}"
        for name in ("reason", "code", "status", "api", "resource", "application")
        if (wanted := getattr(expect, name)) is not None and actual[name] != wanted
    ]
    return [*found, *_header_differences(expect, answer.headers, answer.removed_headers)]


def known_of(told: Told) -> Mapping[str, str | None]:
    """The reason, and the ids of the API, the resource and the application, as far as they are known."""
    metadata, deny = told.answer.metadata, told.decision
    known: dict[str, str | None] = {
        "reason": told.answer.reason or told.answer.shadow_reason,
        "api": metadata.get("api_id"),
        "resource": metadata.get("resource"),
        "application": metadata.get("application"),
    }
    if isinstance(deny, Deny):
        known["reason"] = deny.reason
        known["api"] = deny.api.id if deny.api else None
        known["resource"] = deny.resource.template if deny.resource else None
    elif isinstance(deny, Allow):
        known["api"], known["resource"] = deny.match.api.id, deny.match.resource.template
    return known


def _told(value: object) -> str:
    return "not told" if value is None else str(value)


def _header_differences(expect: ExpectDocument, headers: Mapping[str, str], removed: tuple[str, ...]) -> Iterator[str]:
    for name, value in expect.upstream_headers.items():
        if headers.get(name.lower()) != value:
            # The value that came is not repeated: it may be a token.
            yield f"header {name} {'has another value' if name.lower() in headers else 'is not set'}"
    yield from (f"header {name} is not set" for name in expect.sets if name.lower() not in headers)
    yield from (f"header {name} is not removed" for name in expect.removes if name.lower() not in removed)
