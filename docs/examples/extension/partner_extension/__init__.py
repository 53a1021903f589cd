"""One extension of each kind, as a start for your own."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any

from extauthz.extensions import Access, Api, Denied, Principal, Reason, RequestContext, known_caller


class Tickets:
    """Knows partners by a ticket, `X-Ticket: <application>.<signature>`, instead of a token."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        name = options.get("key_variable", "TICKET_KEY")
        if not os.environ.get(name):
            raise ValueError(f"the environment has no {name}")
        self._key = os.environ[name].encode()

    async def authenticate(self, request: RequestContext, api: Api) -> Principal | None:
        """The application of a good ticket; None: no ticket came, so that a token is looked for."""
        ticket = request.headers.get("x-ticket")
        if not ticket:
            return None
        application, _, signature = ticket.rpartition(".")
        good = hmac.new(self._key, f"{api.id}\n{application}".encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(good.encode(), signature.encode()):
            raise Denied(Reason.INVALID_TOKEN, "the ticket's signature is wrong")
        return known_caller(application=application, scopes=["read"])


class ReadOnly:
    """Lets nothing be changed while some APIs are under maintenance."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._apis = frozenset(options.get("apis", ()))

    async def authorize(self, request: RequestContext, access: Access) -> None:
        """Refuses whatever is no plain reading."""
        if access.api.id in self._apis and request.method not in {"GET", "HEAD"}:
            raise Denied(Reason.RESOURCE_FORBIDDEN, f"{access.api.id} is under maintenance")


class Departments:
    """Tells the upstream which department an application belongs to."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._departments = dict(options.get("departments", {}))

    async def claims(self, access: Access) -> Mapping[str, Any]:
        """The claim `department`, where it is known."""
        department = self._departments.get(access.application.id) if access.application else None
        return {"department": department} if department else {}
