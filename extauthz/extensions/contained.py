"""Extensions as the rest of the program calls them: contained, and with answers of the right type."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from msgspec import structs

from extauthz.extensions.containment import Containment
from extauthz.extensions.protocols import Authenticator, Authorizer, ClaimSource
from extauthz.model.api import Api
from extauthz.model.check import Access, Principal, RequestContext
from extauthz.model.token import TokenFacts


class ContainedAuthenticator:
    """An authenticator whose failures refuse."""

    def __init__(self, extension: Authenticator, containment: Containment) -> None:
        self._extension = extension
        self._containment = containment

    async def authenticate(self, request: RequestContext, api: Api) -> Principal | None:
        """Who calls, or None: see `Authenticator`.

        Raises:
            Denied: it refuses, or it failed.
            Unavailable: it says so, or its time budget is spent.
        """

        async def asked() -> Principal | None:
            principal = await self._extension.authenticate(request, api)
            return None if principal is None else _principal(principal)

        return await self._containment.call(asked)


class ContainedAuthorizer:
    """An authorizer whose failures refuse."""

    def __init__(self, extension: Authorizer, containment: Containment) -> None:
        self._extension = extension
        self._containment = containment

    async def authorize(self, request: RequestContext, access: Access) -> None:
        """Returns if the access may be: see `Authorizer`.

        Raises:
            Denied: it refuses, or it failed.
            Unavailable: it says so, or its time budget is spent.
        """

        async def asked() -> None:
            answer: object = await self._extension.authorize(request, _lent(access))  # type: ignore[func-returns-value]
            if answer is not None:  # False was certainly not meant as a yes
                raise TypeError("an authorizer returns None")

        await self._containment.call(asked)


class ContainedClaimSource:
    """A claim source whose failures refuse."""

    def __init__(self, extension: ClaimSource, containment: Containment) -> None:
        self._extension = extension
        self._containment = containment

    async def claims(self, access: Access) -> Mapping[str, Any]:
        """Claims by name, as JSON has them: see `ClaimSource`.

        Raises:
            Denied: it refuses, or it failed.
            Unavailable: it says so, or its time budget is spent.
        """

        async def asked() -> Mapping[str, Any]:
            return _json_object(await self._extension.claims(_lent(access)))

        return await self._containment.call(asked)


def _lent(access: Access) -> Access:
    """With mappings of its own: those of a token are in a cache, and those of an application in the catalog."""
    principal, application = access.principal, access.application
    facts = structs.replace(principal.facts, claims=deepcopy(dict(principal.facts.claims)))
    if application is not None:
        application = replace(application, attributes=dict(application.attributes))
    return structs.replace(access, principal=structs.replace(principal, facts=facts), application=application)


def _principal(answer: object) -> Principal:
    if not isinstance(answer, Principal) or not isinstance(answer.facts, TokenFacts):
        raise TypeError("an authenticator returns a Principal or None")
    return answer


def _json_object(answer: object) -> Mapping[str, Any]:
    """A copy that the extension cannot change any more."""
    if not isinstance(answer, Mapping) or not all(isinstance(name, str) for name in answer):
        raise TypeError("a claim source returns a mapping by name")
    text = json.dumps(dict(answer), allow_nan=False, ensure_ascii=False)
    text.encode()  # a lone surrogate has no encoding
    copied: dict[str, Any] = json.loads(text)
    return copied
