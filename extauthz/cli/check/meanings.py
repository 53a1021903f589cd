"""What a reason means to an operator: the words of docs/refusals.md, which a test holds to be the same."""

from extauthz.model.errors import Reason

MEANINGS: dict[Reason, str] = {
    Reason.MISSING_CREDENTIALS: "no credential of a kind that the API accepts",
    Reason.INVALID_REQUEST: "two tokens, two schemes, a token and an API key, two keys, a joined header; "
    "a Check without an HTTP request",
    Reason.INVALID_TOKEN: "malformed, signature, issuer, audience, not yet valid, unknown key, or bound to another "
    "client; an API key that is unknown or disabled; a mandatory client certificate is missing or not registered",
    Reason.TOKEN_EXPIRED: "at or after exp, clock skew included; an API key at or after its expires_at",
    Reason.TOKEN_INACTIVE: "the key manager says so, or it was revoked",
    Reason.WRONG_TOKEN_TYPE: "typ is not one of jwt.token_types; "
    "a key of a type that is not one of the API's key_types",
    Reason.INVALID_DPOP_PROOF: "the DPoP proof is missing, wrong for this request, too old, or used before",
    Reason.USE_DPOP_NONCE: "the DPoP proof needs the nonce of DPoP-Nonce",
    Reason.NO_MATCHING_API: "no API has this host and base path; the path has more than one reading; "
    "or the route names an API that is not there, or two",
    Reason.NO_MATCHING_RESOURCE: "no template of the API matches",
    Reason.METHOD_NOT_ALLOWED: "the resource has other methods, see Allow",
    Reason.SUBSCRIPTION_BLOCKED: "BLOCKED, or PROD_ONLY_BLOCKED with a production key",
    Reason.RESOURCE_FORBIDDEN: "no application, no subscription, a key manager that the API does not accept, "
    "or an API key from an address or page that it is not good for",
    Reason.SUBSCRIPTION_INACTIVE: "ON_HOLD or REJECTED",
    Reason.INSUFFICIENT_SCOPE: "none of the resource's scopes, or not all with scope_rule: all",
    Reason.API_AUDIENCE: "aud has none of the API's audiences",
    Reason.API_BLOCKED: "the API's state is BLOCKED",
    Reason.UNAVAILABLE: "the key manager or the catalog does not answer, revocations are not known yet, "
    "or the time budget is spent; see Retry-After",
    Reason.INTERNAL: "a defect here; the log has its type and place",
}
