"""Whether a token is meant for this API (wso2-facts §1.4, 900914)."""

from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason


def audience_allowed(access: Access) -> None:
    """One of the API's audiences is in the token's `aud`, where the API has some; other credentials have no `aud`.

    Raises:
        Denied: api_audience.
    """
    wanted = access.api.audiences
    if not wanted or access.principal.key_manager is None:
        return
    if wanted.isdisjoint(access.principal.facts.audiences):
        raise Denied(Reason.API_AUDIENCE, f"its `aud` has none of the audiences of {access.api.id}")
