"""The one table of refusals: what each reason says to the client and to Envoy."""

from dataclasses import dataclass

from google.rpc import code_pb2

from extauthz.model.errors import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a reason is told: to the client (product code, HTTP), to Envoy (gRPC code)."""

    code: str
    message: str
    description: str
    status: int
    """HTTP status."""
    grpc_code: int
    """`google.rpc.Code`, never 0: Envoy reads that as "allowed", whatever else is set."""
    challenge: bool = False
    """Whether `WWW-Authenticate` goes along."""
    error: str | None = None
    """RFC 6750 §3.1, RFC 9449 §7.1."""
    dpop_only: bool = False
    """Whether the challenge is for `DPoP` alone: what is wrong is the proof, not the token."""


_CREDENTIALS = "Make sure you have provided the correct security credentials"
_NO_SUBSCRIPTION = "User is NOT authorized to access the Resource. API Subscription validation failed."


def _unauthorized(code: str, message: str, description: str, error: str | None = "invalid_token") -> Refusal:
    return Refusal(
        code=code,
        message=message,
        description=description,
        status=401,
        grpc_code=code_pb2.UNAUTHENTICATED,
        challenge=True,
        error=error,
    )


def _bad_proof(error: str, description: str) -> Refusal:
    return Refusal(
        code="900901",
        message="Invalid Credentials",
        description=description,
        status=401,
        grpc_code=code_pb2.UNAUTHENTICATED,
        challenge=True,
        error=error,
        dpop_only=True,
    )


def _forbidden(code: str, message: str, description: str) -> Refusal:
    return Refusal(
        code=code, message=message, description=description, status=403, grpc_code=code_pb2.PERMISSION_DENIED
    )


def _not_found(code: str, message: str, description: str) -> Refusal:
    return Refusal(code=code, message=message, description=description, status=404, grpc_code=code_pb2.NOT_FOUND)


REFUSALS: dict[Reason, Refusal] = {
    # RFC 6750 §3.1: who shows no credential is not told of an error.
    Reason.MISSING_CREDENTIALS: _unauthorized(
        "900902",
        "Missing Credentials",
        "Make sure your API invocation call has a header: (Authorization: Bearer ACCESS_TOKEN)",
        error=None,
    ),
    Reason.INVALID_REQUEST: Refusal(
        code="900901",
        message="Invalid Credentials",
        description=_CREDENTIALS,
        status=400,
        grpc_code=code_pb2.INVALID_ARGUMENT,
        challenge=True,
        error="invalid_request",
    ),
    Reason.INVALID_TOKEN: _unauthorized("900901", "Invalid Credentials", _CREDENTIALS),
    Reason.TOKEN_EXPIRED: _unauthorized("900903", "Access Token Expired", "Renew the access token and try again"),
    Reason.TOKEN_INACTIVE: _unauthorized(
        "900904", "Access Token Inactive", "Generate a new access token and try again"
    ),
    Reason.WRONG_TOKEN_TYPE: _unauthorized(
        "900905", "Incorrect Access Token Type is provided", "Use an access token that was issued for this environment"
    ),
    Reason.INVALID_DPOP_PROOF: _bad_proof(
        "invalid_dpop_proof",
        "Make sure that the DPoP proof is new, and was made for this request and this access token",
    ),
    Reason.USE_DPOP_NONCE: _bad_proof("use_dpop_nonce", "Use the nonce of the DPoP-Nonce header in the DPoP proof"),
    Reason.NO_MATCHING_API: _not_found("404", "Not Found", "The requested resource is not available."),
    Reason.NO_MATCHING_RESOURCE: _not_found(
        "900906",
        "No matching resource found in the API for the given request",
        "Check the API documentation and add a proper REST resource path to the invocation URL",
    ),
    Reason.METHOD_NOT_ALLOWED: Refusal(
        code="405",
        message="Method Not Allowed",
        description="The resource does not answer to this method; the Allow header names those it does",
        status=405,
        grpc_code=code_pb2.PERMISSION_DENIED,
    ),
    Reason.SUBSCRIPTION_BLOCKED: _forbidden(
        "900907", "The requested API is temporarily blocked", "API Subscription is blocked"
    ),
    Reason.RESOURCE_FORBIDDEN: _forbidden("900908", "Resource forbidden", _NO_SUBSCRIPTION),
    Reason.SUBSCRIPTION_INACTIVE: _forbidden("900909", "The subscription to the API is inactive", _NO_SUBSCRIPTION),
    Reason.INSUFFICIENT_SCOPE: Refusal(
        code="900910",
        message="The access token does not allow you to access the requested resource",
        description="User is NOT authorized to access the Resource. Scope validation failed.",
        status=403,
        grpc_code=code_pb2.PERMISSION_DENIED,
        challenge=True,
        error="insufficient_scope",
    ),
    Reason.API_AUDIENCE: _forbidden(
        "900914", "The access token is not meant for this API", "Request a token whose audience includes this API"
    ),
    Reason.API_BLOCKED: Refusal(
        code="700700",
        message="API blocked",
        description="This API has been blocked temporarily. Try again later or contact the system administrators.",
        status=503,
        grpc_code=code_pb2.UNAVAILABLE,
    ),
    Reason.UNAVAILABLE: Refusal(
        code="900900",
        message="Unclassified Authentication Failure",
        description="The credentials could not be checked in time; try again later",
        status=503,
        grpc_code=code_pb2.UNAVAILABLE,
    ),
    Reason.INTERNAL: Refusal(
        code="900900",
        message="Unclassified Authentication Failure",
        description="The request could not be checked",
        status=500,
        grpc_code=code_pb2.INTERNAL,
    ),
}
