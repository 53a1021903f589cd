"""Why a request is refused, and what could not be asked."""

from enum import StrEnum


class Reason(StrEnum):
    """Every reason for a refusal; `envoy/refusals.py` has the one table that turns it into an answer."""

    MISSING_CREDENTIALS = "missing_credentials"
    INVALID_REQUEST = "invalid_request"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - the word of RFC 6750
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason
    TOKEN_INACTIVE = "token_inactive"  # noqa: S105 - a reason
    WRONG_TOKEN_TYPE = "wrong_token_type"  # noqa: S105 - a reason
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    USE_DPOP_NONCE = "use_dpop_nonce"
    NO_MATCHING_API = "no_matching_api"
    NO_MATCHING_RESOURCE = "no_matching_resource"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    SUBSCRIPTION_BLOCKED = "subscription_blocked"
    RESOURCE_FORBIDDEN = "resource_forbidden"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    API_AUDIENCE = "api_audience"
    API_BLOCKED = "api_blocked"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Denied(Exception):  # noqa: N818 - a verdict in the domain's word, not a fault of the program
    """A refusal with its reason.

    `detail` is for the operator's log: it never reaches the client and never holds a token or a secret.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        scopes: frozenset[str] = frozenset(),
        methods: frozenset[str] = frozenset(),
        dpop_nonce: str | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.scopes = scopes
        """The scopes that would have done (RFC 6750 §3, `scope`)."""
        self.methods = methods
        """The methods that the resource knows (RFC 9110 §10.2.1, `Allow`)."""
        self.dpop_nonce = dpop_nonce
        """The nonce that the next proof must hold (RFC 9449 §9)."""
        self.key_manager = ""
        """Id of the key manager whose token is refused; set by whoever knows it. Empty: not known, or no token."""


class Unavailable(Exception):  # noqa: N818 - names the state of a dependency
    """A dependency (issuer, store) did not answer as it must; the request is refused with 503, never allowed."""

    def __init__(self, component: str, detail: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(component, detail)
        self.component = component
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.key_manager = ""
        """As that of `Denied`."""


class ErrorFormat(StrEnum):
    """How the body of a refusal looks."""

    APIM = "apim"
    """API Manager 4: a flat object, the code as a string."""
    FAULT = "fault"
    """API Microgateway 3: wrapped in `fault`, the code as a number."""
    PROBLEM = "problem"
    """RFC 9457 problem details."""
