"""API keys: known by their hash, and good for the places that their entry names."""

from math import inf

from extauthz.authn.api_key_hash import ApiKeyHashes, is_api_key
from extauthz.authn.client_address import ClientAddress
from extauthz.authn.referer import comes_from
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.check import PresentedApiKey, Principal, RequestContext
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason
from extauthz.model.token import TokenFacts, TokenForm

REFERER = "referer"


class ApiKeys:
    """Knows API keys; asks nobody."""

    def __init__(self, *, catalog: Catalog, hashes: ApiKeyHashes, address: ClientAddress, clock: Clock) -> None:
        self._catalog = catalog
        self._hashes = hashes
        self._address = address
        self._clock = clock

    def principal(self, presented: PresentedApiKey, api: Api, request: RequestContext) -> Principal:
        """Who calls with a key.

        Raises:
            Denied: invalid_token (unknown, disabled), token_expired, or resource_forbidden (from elsewhere).
        """
        key = self._known(presented, api)
        # As RFC 7519 §4.1.4 has it for tokens: on or after its end it is over.
        if key.expires_at is not None and self._clock() >= key.expires_at:
            raise Denied(Reason.TOKEN_EXPIRED, f"API key {key.id} expired at {key.expires_at:.0f}")
        self._ensure_address(key, request)
        _ensure_referer(key, request)
        facts = TokenFacts(
            form=TokenForm.NO_TOKEN,
            believe_until=inf if key.expires_at is None else key.expires_at,
            scopes=key.scopes,
            expires_at=key.expires_at,
        )
        return Principal(facts=facts, token_key=key.hash, api_key=key, application=key.application)

    def _known(self, presented: PresentedApiKey, api: Api) -> ApiKey:
        if not is_api_key(presented.value):
            raise Denied(Reason.INVALID_TOKEN, "not of the form of an API key")
        found = (self._catalog.api_key(hashed) for hashed in self._hashes.of(presented.value))
        key = next((key for key in found if key is not None), None)
        if key is None or key.organization != api.organization:
            raise Denied(Reason.INVALID_TOKEN, "no such API key")
        if not key.enabled:
            raise Denied(Reason.INVALID_TOKEN, f"API key {key.id} is disabled")
        return key

    def _ensure_address(self, key: ApiKey, request: RequestContext) -> None:
        if not key.allowed_addresses:
            return
        address = self._address(request)
        if address is None or not any(address in network for network in key.allowed_addresses):
            what = "an address that nobody says" if address is None else "this address"
            raise Denied(Reason.RESOURCE_FORBIDDEN, f"API key {key.id} may not be used from {what}")


def _ensure_referer(key: ApiKey, request: RequestContext) -> None:
    if key.allowed_referers and not comes_from(request.headers.get(REFERER), key.allowed_referers):
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"API key {key.id} may not be used from this page")
