"""Encrypted JWTs: whose they are, and the signed token inside (RFC 7516, RFC 7519 §5.2)."""

from extauthz.authn.issuers import Issuers
from extauthz.authn.known_tokens import KnownTokens
from extauthz.cache.keys import NamedToken
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import Decryption, KeyManager
from extauthz.oauth2.jwe import Attempts, JweDecrypter
from extauthz.oauth2.jwt import UnverifiedJwt


class EncryptedJwts:
    """Finds the key manager of an encrypted token, and opens it with that key manager's keys."""

    def __init__(self, *, catalog: Catalog, issuers: Issuers, known: KnownTokens) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._known = known

    def key_manager(self, token: NamedToken, jwt: UnverifiedJwt, api: Api) -> KeyManager:
        """Whose a token is: the only key manager's of the issuer in its header, else by what is inside.

        A token that is known already is not opened again. The claims inside only choose who checks them.

        Raises:
            Denied: invalid_token: nobody's, or not to be opened.
        """
        candidates = self._catalog.key_managers_that_decrypt(api.organization, jwt.issuer)
        if jwt.issuer is not None and len(candidates) == 1:
            return candidates[0]
        known = next((km for km in candidates if self._known.holds(token, km)), None)
        return known or self._by_content(jwt, api, candidates)

    def readable(self, jwt: UnverifiedJwt, key_manager: KeyManager) -> UnverifiedJwt:
        """A token as it can be read: the one inside, where the key manager's encrypted tokens are opened here.

        Raises:
            Denied: invalid_token: not to be opened.
        """
        if not jwt.encrypted:
            return jwt
        decryption = self._issuers.of(key_manager).decryption
        return jwt if decryption is None else decryption.open(jwt)

    def _by_content(self, jwt: UnverifiedJwt, api: Api, candidates: tuple[KeyManager, ...]) -> KeyManager:
        refused = Denied(Reason.INVALID_TOKEN, "no key manager opens encrypted tokens of this issuer")
        attempts = Attempts()
        for decryption, decrypter in self._ways(jwt, candidates):
            try:
                inner = decrypter.open(jwt, attempts)
            except Denied as denied:
                refused = denied
                continue
            found = self._catalog.key_manager_for_jwt(api, inner.issuer or "", inner.audiences)
            # What was encrypted to one key manager's key may not come from another, which has none or its own.
            if found is None or found not in candidates or _decryption(found) != decryption:
                raise Denied(Reason.INVALID_TOKEN, "holds a token of a key manager that it was not encrypted for")
            return found
        raise refused

    def _ways(self, jwt: UnverifiedJwt, candidates: tuple[KeyManager, ...]) -> list[tuple[Decryption, JweDecrypter]]:
        """Each way to open a token once, as key managers may share one; first those whose key its `kid` names."""
        ways: list[tuple[Decryption, JweDecrypter]] = []
        for key_manager in candidates:
            decryption, decrypter = _decryption(key_manager), self._issuers.of(key_manager).decryption
            if decryption is not None and decrypter is not None and all(decryption != way[0] for way in ways):
                ways.append((decryption, decrypter))
        return sorted(ways, key=lambda way: not way[1].is_named(jwt))


def _decryption(key_manager: KeyManager) -> Decryption | None:
    return key_manager.jwt.decryption if key_manager.jwt else None
