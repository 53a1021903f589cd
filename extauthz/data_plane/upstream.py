"""Builds what tells the upstream, and Envoy, who called."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from extauthz.authn.issuers import Issuers
from extauthz.authn.users import Users
from extauthz.backend_jwt.claims import BackendJwtProfile
from extauthz.backend_jwt.header_encoding import ENCODINGS
from extauthz.backend_jwt.signer import BackendJwtSigner
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.backend_jwt.sources import ClaimSource, ClaimSources
from extauthz.backend_jwt.upstream_headers import UpstreamHeader, UpstreamHeaders
from extauthz.data_plane.told_at import told_at
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.model.clock import Clock
from extauthz.settings.backend_jwt import BackendJwtSettings
from extauthz.settings.process import Settings


def signer(
    settings: Settings,
    keys: Sequence[SigningKey],
    users: Users,
    stack: AsyncExitStack,
    clock: Clock,
    *,
    claim_sources: Sequence[ClaimSource] = (),
) -> BackendJwtSigner | None:
    """What makes backend JWTs; None: none are made. `claim_sources` are those of extensions."""
    if settings.backend_jwt is None or not keys:
        return None
    reused = settings.cache.backend_jwt
    made = BackendJwtSigner(
        key=keys[0],
        profile=_profile(settings.backend_jwt),
        clock=clock,
        cache_entries=reused.entries if reused.enabled else 0,
        sources=ClaimSources(users=users, extensions=claim_sources),
    )
    stack.push_async_callback(made.close)
    return made


def known_users(settings: Settings, issuers: Issuers, stack: AsyncExitStack, clock: Clock) -> Users:
    """What is known about the users of tokens."""
    users = Users(issuers, clock, entries=settings.cache.backend_jwt.entries)
    stack.push_async_callback(users.close)
    return users


def responses(settings: Settings) -> ResponseBuilder:
    """What makes the answers to Envoy.

    Raises:
        DocumentError: a header that cannot be sent.
    """
    with told_at("backend_jwt", "header"):
        return ResponseBuilder(
            ResponsePolicy(
                error_format=settings.errors.format,
                realm=settings.errors.realm,
                backend_jwt_header=_backend_jwt_header(settings),
                upstream_headers=tuple(settings.upstream_headers),
                dpop_algorithms=settings.dpop.algorithms if settings.dpop else frozenset(),
            )
        )


def upstream_headers(settings: Settings) -> UpstreamHeaders | None:
    """What makes the headers beside the backend JWT; None: there are none.

    Raises:
        DocumentError: a header that is not ours to set, or an attribute that there is not.
    """
    headers = [
        UpstreamHeader(
            name=name, claim=header.claim, attribute=header.attribute, encode=ENCODINGS[header.encoding.value]
        )
        for name, header in settings.upstream_headers.items()
    ]
    if not headers:
        return None
    with told_at("upstream_headers"):
        return UpstreamHeaders(headers, backend_jwt_header=_backend_jwt_header(settings))


def _profile(settings: BackendJwtSettings) -> BackendJwtProfile:
    return BackendJwtProfile(
        issuer=settings.issuer,
        audience=settings.audience,
        ttl_seconds=settings.ttl_seconds,
        dialect=settings.dialect.removesuffix("/"),
        convert_dialect=settings.convert_dialect,
        restricted_claims=settings.restricted_claims,
    )


def _backend_jwt_header(settings: Settings) -> str:
    """Its default is ours as well where no backend JWT is made: an issuer's own may be passed through."""
    default: str = BackendJwtSettings.model_fields["header"].default
    return settings.backend_jwt.header if settings.backend_jwt else default
