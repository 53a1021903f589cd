"""Builds what finds out who calls, by a token or without one."""

from collections.abc import Sequence

from extauthz.authn.access_token import AccessTokens
from extauthz.authn.api_key import ApiKeys
from extauthz.authn.api_key_hash import ApiKeyHashes
from extauthz.authn.authenticator import Authenticator, AuthenticatorChain
from extauthz.authn.client_address import ClientAddress, ForwardedAddress, peer_address
from extauthz.authn.credentials import Credentials
from extauthz.authn.registered_certificate import RegisteredCertificates
from extauthz.catalog.catalog import Catalog
from extauthz.data_plane.bindings import client_certificate
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.told_at import told_at
from extauthz.model.clock import Clock
from extauthz.settings.callers import AddressSource, ApiKeySettings, ClientAddressSettings
from extauthz.settings.process import Settings


def authenticators(
    settings: Settings,
    secrets: Secrets,
    catalog: Catalog,
    tokens: AccessTokens,
    extensions: Sequence[Authenticator],
    clock: Clock,
) -> AuthenticatorChain:
    """The chain that finds out who calls.

    Raises:
        DocumentError: a secret is of no use for its purpose.
    """
    return AuthenticatorChain(
        credentials=Credentials(max_token_bytes=settings.limits.token_bytes, dpop=settings.dpop is not None),
        certificates=RegisteredCertificates(client_certificate(settings), clock),
        tokens=tokens,
        api_keys=None if settings.api_keys is None else _api_keys(settings, settings.api_keys, secrets, catalog, clock),
        extensions=extensions,
    )


def api_key_hashes(settings: ApiKeySettings, secrets: Secrets) -> ApiKeyHashes:
    """What hashes API keys.

    Raises:
        DocumentError: a secret is of no use.
    """
    with told_at("api_keys", "secret"):
        return ApiKeyHashes([secrets.value(name) for name in settings.secret])


def client_address(settings: ClientAddressSettings) -> ClientAddress:
    """Who says which address the client has."""
    if settings.source is AddressSource.PEER:
        return peer_address
    return ForwardedAddress(trusted_hops=settings.trusted_hops)


def _api_keys(
    settings: Settings, api_keys: ApiKeySettings, secrets: Secrets, catalog: Catalog, clock: Clock
) -> ApiKeys:
    return ApiKeys(
        catalog=catalog,
        hashes=api_key_hashes(api_keys, secrets),
        address=client_address(settings.client_address),
        clock=clock,
    )
