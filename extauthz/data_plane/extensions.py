"""Builds the extensions that the settings name."""

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from extauthz.data_plane.told_at import told_at
from extauthz.extensions.contained import ContainedAuthenticator, ContainedAuthorizer, ContainedClaimSource
from extauthz.extensions.containment import Containment
from extauthz.extensions.entry_points import made
from extauthz.extensions.kind import Kind
from extauthz.model.errors import Denied, Unavailable
from extauthz.settings.extensions import ExtensionSettings, ExtensionsSettings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """Those of each kind, in the order of the settings."""

    authenticators: tuple[ContainedAuthenticator, ...] = ()
    authorizers: tuple[ContainedAuthorizer, ...] = ()
    claim_sources: tuple[ContainedClaimSource, ...] = ()


def extensions(settings: ExtensionsSettings, stack: AsyncExitStack) -> Extensions:
    """Makes the extensions; those that can be closed are closed with the stack.

    Raises:
        DocumentError: one is not installed, or cannot be used.
    """

    def each(kind: Kind, section: str, named: Sequence[ExtensionSettings]) -> Iterator[tuple[Any, Containment]]:
        for index, one in enumerate(named):
            with told_at("extensions", section, index):
                extension = made(kind, one.name, one.options)
            containment = Containment(one.name, seconds=one.timeout_seconds)
            if callable(getattr(extension, "close", None)):
                stack.push_async_callback(_close, extension, containment)
            yield extension, containment

    return Extensions(
        authenticators=tuple(
            ContainedAuthenticator(*one) for one in each(Kind.AUTHENTICATOR, "authenticators", settings.authenticators)
        ),
        authorizers=tuple(
            ContainedAuthorizer(*one) for one in each(Kind.AUTHORIZER, "authorizers", settings.authorizers)
        ),
        claim_sources=tuple(
            ContainedClaimSource(*one) for one in each(Kind.CLAIM_SOURCE, "claim_sources", settings.claim_sources)
        ),
    )


async def _close(extension: Any, containment: Containment) -> None:
    try:
        await containment.call(extension.close)
    except Denied as failed:  # the others still have to be closed
        _log.warning("extension_not_closed", detail=failed.detail)
    except Unavailable as late:
        _log.warning("extension_not_closed", detail=f"{late.component}: {late.detail}")
