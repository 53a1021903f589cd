"""A decision, stage by stage."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from extauthz.cli.check.meanings import MEANINGS
from extauthz.cli.check.shown import shown_headers, shown_names
from extauthz.cli.check.source import Told
from extauthz.envoy_client.answer import Answer
from extauthz.model.check import Access, Allow, Deny
from extauthz.model.errors import Reason

_NOT_TOLD = "not told by a replica; --config tells it"


class StageName(StrEnum):
    """The stages, in the order in which a Check goes through them."""

    API = "API and resource"
    CREDENTIAL = "credential"
    CALLER = "caller"
    SUBSCRIPTION = "subscription"
    SCOPES = "scopes"
    UPSTREAM = "upstream"


class Outcome(StrEnum):
    """What became of a request in a stage."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_NEEDED = "not needed"
    NOT_REACHED = "not reached"
    NOT_TOLD = "not told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a decision."""

    name: StageName
    outcome: Outcome
    said: str = ""
    """For people; never holds a token."""


REFUSED_AT: dict[Reason, StageName] = {
    Reason.NO_MATCHING_API: StageName.API,
    Reason.NO_MATCHING_RESOURCE: StageName.API,
    Reason.METHOD_NOT_ALLOWED: StageName.API,
    Reason.API_BLOCKED: StageName.API,
    Reason.MISSING_CREDENTIALS: StageName.CREDENTIAL,
    Reason.INVALID_REQUEST: StageName.CREDENTIAL,
    Reason.INVALID_TOKEN: StageName.CREDENTIAL,
    Reason.TOKEN_EXPIRED: StageName.CREDENTIAL,
    Reason.TOKEN_INACTIVE: StageName.CREDENTIAL,
    Reason.WRONG_TOKEN_TYPE: StageName.CREDENTIAL,
    Reason.INVALID_DPOP_PROOF: StageName.CREDENTIAL,
    Reason.USE_DPOP_NONCE: StageName.CREDENTIAL,
    Reason.API_AUDIENCE: StageName.CALLER,
    Reason.RESOURCE_FORBIDDEN: StageName.SUBSCRIPTION,
    Reason.SUBSCRIPTION_BLOCKED: StageName.SUBSCRIPTION,
    Reason.SUBSCRIPTION_INACTIVE: StageName.SUBSCRIPTION,
    Reason.INSUFFICIENT_SCOPE: StageName.SCOPES,
}
"""Where each reason belongs; `unavailable` and `internal` may come from anywhere."""


def explained(told: Told) -> list[Stage]:
    """Every stage, in order."""
    said = _said_by_answer(told.answer)
    if isinstance(told.decision, Allow):
        said |= _said_by_allow(told.decision)
    elif isinstance(told.decision, Deny):
        said |= _said_by_deny(told.decision)
    if asked := str(told.asked):
        said[StageName.CREDENTIAL] = "; ".join(filter(None, [said.get(StageName.CREDENTIAL, ""), asked]))
    shadowed = told.answer.shadow_reason is not None
    if told.answer.allowed and not shadowed:
        return list(_passed(told, said))
    *stages, upstream = _refused(told, said)
    if shadowed:
        upstream = replace(upstream, outcome=Outcome.PASSED, said=f"in shadow mode: {said[StageName.UPSTREAM]}")
    return [*stages, upstream]


def _passed(told: Told, said: Mapping[StageName, str]) -> Iterator[Stage]:
    known_caller = "credential" in told.answer.metadata
    for name in StageName:
        if not known_caller and name not in {StageName.API, StageName.UPSTREAM}:
            yield Stage(name=name, outcome=Outcome.NOT_NEEDED, said=said.get(name, "open to everybody"))
        else:
            yield Stage(name=name, outcome=Outcome.PASSED, said=said.get(name, _NOT_TOLD))


def _refused(told: Told, said: Mapping[StageName, str]) -> Iterator[Stage]:
    reason = _reason(told)
    at = REFUSED_AT.get(reason) if reason is not None else None
    if at is None or reason is None:
        yield from _refused_somewhere(told, said)
        return
    order = list(StageName)
    for name in order:
        if order.index(name) < order.index(at):
            yield Stage(name=name, outcome=Outcome.PASSED, said=said.get(name, ""))
        elif name is at:
            known = said.get(name, "") if name is StageName.CREDENTIAL else ""
            yield Stage(name=name, outcome=Outcome.REFUSED, said="; ".join(filter(None, [_why(told, reason), known])))
        else:
            # Key types are looked at after the subscription, so there a later stage may have been passed.
            late = reason is Reason.WRONG_TOKEN_TYPE
            yield Stage(name=name, outcome=Outcome.NOT_TOLD if late else Outcome.NOT_REACHED)


def _reason(told: Told) -> Reason | None:
    if isinstance(told.decision, Deny):
        return told.decision.reason
    return told.answer.reason or told.answer.shadow_reason


def _refused_somewhere(told: Told, said: Mapping[StageName, str]) -> Iterator[Stage]:
    matched = isinstance(told.decision, Deny) and told.decision.resource is not None
    for name in StageName:
        passed = matched and name is StageName.API
        yield Stage(name=name, outcome=Outcome.PASSED if passed else Outcome.NOT_TOLD, said=said.get(name, ""))


def _why(told: Told, reason: Reason) -> str:
    deny = told.decision
    if not isinstance(deny, Deny):
        return MEANINGS[reason]
    wanted = [f"{word}: {', '.join(sorted(some))}" for word, some in _wanted(deny) if some]
    return "; ".join([deny.detail or MEANINGS[reason], *wanted])


def _wanted(deny: Deny) -> list[tuple[str, frozenset[str]]]:
    return [("scopes that would have done", deny.scopes), ("methods", deny.methods)]


def _said_by_answer(answer: Answer) -> dict[StageName, str]:
    """What the dynamic metadata and the headers tell of an allowed request."""
    known = answer.metadata
    if not answer.allowed:
        return {}
    said = {StageName.UPSTREAM: _upstream(answer)}
    if "api_id" in known:
        said[StageName.API] = f"{known['api_id']}, {known.get('resource', '')}"
    if "credential" in known:
        said[StageName.CREDENTIAL] = _named(known, {"credential": "", "key_manager": "key manager", "api_key": "id"})
        of_caller = {"client_id": "client", "subject": "subject", "application": "application", "key_type": ""}
        said[StageName.CALLER] = _named(known, of_caller) or "nothing more is known"
        said[StageName.SUBSCRIPTION] = _named(known, {"subscription_policy": "policy"}) or "none was needed"
    return said


def _named(known: Mapping[str, str], words: Mapping[str, str]) -> str:
    return ", ".join(f"{word} {known[name]}".strip() for name, word in words.items() if name in known)


def _upstream(answer: Answer) -> str:
    sets = ", ".join(f"{name}: {value}" for name, value in shown_headers(answer.headers).items())
    removes = ", ".join(
        (*shown_names(answer.removed_headers, answer.headers), *(f"?{name}" for name in answer.removed_parameters))
    )
    return f"sets {sets or 'nothing'}; removes {removes or 'nothing'}"


def _said_by_allow(allow: Allow) -> dict[StageName, str]:
    api, resource = allow.match.api, allow.match.resource
    said = {StageName.API: f"{api.id} at {api.context}, {resource.template}"}
    access = allow.access
    if access is None:
        why = "a preflight of a browser" if allow.match.preflight else "an open resource"
        return said | dict.fromkeys(list(StageName)[1:-1], why)
    said[StageName.CREDENTIAL] = _credential(access)
    if access.subscription is not None:
        said[StageName.SUBSCRIPTION] = f"{access.subscription.state}, policy {access.subscription.policy}"
    said[StageName.SCOPES] = _scopes(access)
    return said


def _credential(access: Access) -> str:
    principal = access.principal
    if principal.key_manager is not None:
        return f"token ({principal.facts.form}) of key manager {principal.key_manager.id}"
    if principal.api_key is not None:
        return f"API key {principal.api_key.id}"
    if principal.certificate is not None:
        return f"client certificate {principal.certificate.subject}"
    return "known by an extension"


def _scopes(access: Access) -> str:
    wanted, held = access.resource.scopes, access.principal.facts.scopes
    if not wanted:
        return "none is needed"
    return f"{access.resource.scope_rule} of {', '.join(sorted(wanted))}; the caller has {', '.join(sorted(held))}"


def _said_by_deny(deny: Deny) -> dict[StageName, str]:
    said = {StageName.CREDENTIAL: f"token of key manager {deny.key_manager}"} if deny.key_manager else {}
    if deny.api is None:
        return said
    resource = f", {deny.resource.template}" if deny.resource is not None else ""
    return said | {StageName.API: f"{deny.api.id} at {deny.api.context}{resource}"}
