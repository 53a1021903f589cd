"""From the decision to Envoy's CheckResponse."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, DeniedHttpResponse

from extauthz.envoy.challenge import Challenger
from extauthz.envoy.cors import cors_headers
from extauthz.envoy.error_body import ErrorBody, ErrorText, error_body
from extauthz.envoy.header_option import header_option
from extauthz.envoy.ok_response import OkResponses
from extauthz.envoy.refusals import REFUSALS, Refusal
from extauthz.model.check import Allow, Decision, Deny
from extauthz.model.errors import ErrorFormat, Reason

_DEFAULT_RETRY_AFTER_SECONDS = 1
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §9.1, §5.6.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePolicy:
    """What an operator may choose about the answers."""

    error_format: ErrorFormat = ErrorFormat.APIM
    realm: str = "extauthz"
    """Of the `WWW-Authenticate` challenge (RFC 9110 §11.5)."""
    backend_jwt_header: str = "X-JWT-Assertion"
    upstream_headers: tuple[str, ...] = ()
    """Names of what else the upstream is told; a client's own is removed."""
    dpop_algorithms: frozenset[str] = frozenset()
    """What DPoP proofs may be signed with; none: the scheme is not offered."""


class ResponseBuilder:
    """Makes every answer to a Check. Nothing that the client sent is in a refusal."""

    def __init__(self, policy: ResponsePolicy) -> None:
        """Prepare what does not change.

        Raises:
            ValueError: a realm or a header name that cannot be sent.
        """
        self._challenger = Challenger(policy.realm, policy.dpop_algorithms)
        self._ok_responses = OkResponses(policy.backend_jwt_header, policy.upstream_headers)
        self._bodies = {reason: _body(policy.error_format, refusal) for reason, refusal in REFUSALS.items()}
        self._plain = {reason: self._denial(Deny(reason=reason)) for reason in REFUSALS}

    def response(self, decision: Decision) -> bytes:
        """A serialized CheckResponse.

        Raises:
            TypeError: not a decision.
            ValueError: a header value that cannot be sent.
        """
        if isinstance(decision, Allow):
            return self._ok_responses.response(decision)
        if not isinstance(decision, Deny):
            raise TypeError("not a decision")
        if decision.shadow:
            return self._ok_responses.shadowed(decision)
        return self._plain[decision.reason] if _is_plain(decision) else self._denial(decision)

    def _denial(self, deny: Deny) -> bytes:
        refusal, body = REFUSALS[deny.reason], self._bodies[deny.reason]
        denied = DeniedHttpResponse(body=body.text)
        denied.status.code = refusal.status
        headers = {"content-type": body.content_type} | self._headers(refusal, deny)
        denied.headers.extend(header_option(name, value) for name, value in headers.items())
        response = CheckResponse(denied_response=denied)
        # The status decides, whatever else is set: 0 would let the request through.
        response.status.code = refusal.grpc_code
        return _serialized(response)

    def _headers(self, refusal: Refusal, deny: Deny) -> dict[str, str]:
        headers: dict[str, str] = {}
        if refusal.challenge:
            description = refusal.description if refusal.error else None
            scopes = deny.scopes if deny.reason is Reason.INSUFFICIENT_SCOPE else ()
            headers["www-authenticate"] = self._challenger.challenge(
                refusal.error, description, scopes, dpop_only=refusal.dpop_only
            )
        if deny.dpop_nonce is not None and deny.reason is Reason.USE_DPOP_NONCE:
            headers["dpop-nonce"] = deny.dpop_nonce
        methods = sorted(method for method in deny.methods if _METHOD.fullmatch(method))
        if methods and deny.reason is Reason.METHOD_NOT_ALLOWED:
            headers["allow"] = ", ".join(methods)
        seconds = _retry_after_seconds(deny)
        if seconds is not None:
            headers["retry-after"] = str(max(seconds, 0))
        return headers | cors_headers(deny)


def _is_plain(deny: Deny) -> bool:
    extras = (deny.retry_after_seconds, deny.dpop_nonce, deny.allow_origin)
    return not deny.scopes and not deny.methods and all(extra is None for extra in extras)


def _serialized(response: CheckResponse) -> bytes:
    return bytes(response.SerializeToString())


def _retry_after_seconds(deny: Deny) -> int | None:
    if deny.reason is Reason.UNAVAILABLE:
        return _DEFAULT_RETRY_AFTER_SECONDS if deny.retry_after_seconds is None else deny.retry_after_seconds
    # RFC 9110 §10.2.3: on a 503 only.
    return deny.retry_after_seconds if REFUSALS[deny.reason].status == HTTPStatus.SERVICE_UNAVAILABLE else None


def _body(error_format: ErrorFormat, refusal: Refusal) -> ErrorBody:
    text = ErrorText(code=refusal.code, message=refusal.message, description=refusal.description, status=refusal.status)
    return error_body(error_format, text)
