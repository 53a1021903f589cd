"""What lets a script in a browser read a refusal (Fetch standard, "CORS protocol")."""

from extauthz.model.check import Deny
from extauthz.model.cors import ANY_ORIGIN

_OURS = frozenset({"www-authenticate", "retry-after", "dpop-nonce"})
"""What we write into refusals for clients to act upon; browsers keep it from scripts unless it is exposed."""


def cors_headers(deny: Deny) -> dict[str, str]:
    """The headers for a request from an origin that the API names; none for any other.

    All that they say stands in the catalog.
    """
    cors = deny.api.cors if deny.api is not None else None
    if cors is None or deny.allow_origin is None:
        return {}
    headers = {
        "access-control-allow-origin": deny.allow_origin,
        "access-control-expose-headers": ", ".join(sorted(_OURS | {name.lower() for name in cors.exposed_headers})),
        "vary": "Origin",
    }
    if cors.credentials and deny.allow_origin != ANY_ORIGIN:
        headers["access-control-allow-credentials"] = "true"
    return headers
