"""Which key manager a JWT is routed to: by its issuer, and by its audience where several have that issuer."""

from extauthz.catalog.accepting import accepts
from extauthz.model.api import Api
from extauthz.model.key_manager import KeyManager, TokenValidation


class IssuerIndex:
    """The enabled key managers by organization and issuer."""

    def __init__(self) -> None:
        self._by_issuer: dict[tuple[str, str], tuple[KeyManager, ...]] = {}
        self._decrypting: dict[str, tuple[KeyManager, ...]] = {}

    def put(self, key_manager: KeyManager) -> None:
        """Routes to an enabled key manager from now on."""
        if not _checks_jwts(key_manager):
            return
        name, organization = (key_manager.organization, key_manager.issuer), key_manager.organization
        self._by_issuer[name] = _with(self._by_issuer.get(name, ()), key_manager)
        if decrypts(key_manager):
            self._decrypting[organization] = _with(self._decrypting.get(organization, ()), key_manager)

    def remove(self, key_manager: KeyManager) -> None:
        """Routes to a key manager no longer."""
        name, organization = (key_manager.organization, key_manager.issuer), key_manager.organization
        self._by_issuer[name] = _without(self._by_issuer.get(name, ()), key_manager)
        self._decrypting[organization] = _without(self._decrypting.get(organization, ()), key_manager)
        if not self._by_issuer[name]:
            del self._by_issuer[name]

    def find(self, api: Api, issuer: str, audiences: frozenset[str]) -> KeyManager | None:
        """The key manager with exactly this issuer (RFC 8725 §3.8); of several, the one that `audiences` fits.

        A token for two of them goes to the first, by id, that the API accepts. Both `issuer` and `audiences` are what
        the token says of itself: they choose who checks it, and are checked again afterwards.
        """
        found = self._by_issuer.get((api.organization, issuer), ())
        if len(found) <= 1:
            return found[0] if found else None
        fitting = [km for km in found if km.jwt and not km.jwt.audiences.isdisjoint(audiences)]
        accepted = [km for km in fitting if accepts(api, km)]
        return next(iter(accepted or fitting), None)

    def decrypting(self, organization: str, issuer: str | None) -> tuple[KeyManager, ...]:
        """The key managers that an encrypted token may belong to: all that decrypt, or those of the issuer it names."""
        if issuer is None:
            return self._decrypting.get(organization, ())
        return tuple(km for km in self._by_issuer.get((organization, issuer), ()) if decrypts(km))


def decrypts(key_manager: KeyManager) -> bool:
    """Whether encrypted tokens of a key manager are opened here, and not left to its introspection endpoint."""
    opened = key_manager.validation is TokenValidation.JWT
    return opened and key_manager.jwt is not None and key_manager.jwt.decryption is not None


def _checks_jwts(key_manager: KeyManager) -> bool:
    return key_manager.jwt is not None or key_manager.validation is TokenValidation.INTROSPECTION


def _with(key_managers: tuple[KeyManager, ...], another: KeyManager) -> tuple[KeyManager, ...]:
    # By id: every replica has the same order, whatever it heard of first.
    return tuple(sorted((*key_managers, another), key=lambda km: km.id))


def _without(key_managers: tuple[KeyManager, ...], one: KeyManager) -> tuple[KeyManager, ...]:
    return tuple(km for km in key_managers if km.id != one.id)
