"""What an allowed request takes along: the backend JWT, and nothing that only looks like it."""

from itertools import product

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, OkHttpResponse
from google.rpc import code_pb2

from extauthz.envoy.header_option import header_name, header_option
from extauthz.model.check import Access, Allow

_AUTHORIZATION = "authorization"
_MAX_SPELLINGS = 32
_NEVER_OURS = frozenset({"host", "connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"})


class OkResponses:
    """Answers to allowed requests.

    We own the header of the backend JWT in every spelling, and `authorization` unless the API forwards it: what
    this reply does not set is removed, on open resources too, so the upstream may trust what it gets.
    """

    def __init__(self, backend_jwt_header: str) -> None:
        """Prepare the lists of headers to remove.

        Raises:
            ValueError: the name is not one that we may set, or has too many spellings.
        """
        self._header = header_name(backend_jwt_header)
        if self._header in _NEVER_OURS:
            raise ValueError(f"the backend JWT cannot travel in {self._header}")
        owned = spellings(self._header)
        self._removed = {
            (has_jwt, forwards): sorted(
                (owned if forwards else owned | {_AUTHORIZATION}) - ({self._header} if has_jwt else frozenset())
            )
            for has_jwt, forwards in product((False, True), repeat=2)
        }

    def response(self, allow: Allow) -> CheckResponse:
        """The answer.

        Raises:
            ValueError: the backend JWT cannot be a header value.
        """
        response = CheckResponse(ok_response=self._ok_response(allow))
        response.status.code = code_pb2.OK
        # The outer field: `ok_response.dynamic_metadata` is deprecated and would override it.
        fields = response.dynamic_metadata.fields
        for name, value in _metadata(allow).items():
            if value:
                fields[name].string_value = value
        return response

    def _ok_response(self, allow: Allow) -> OkHttpResponse:
        has_jwt = allow.backend_jwt is not None
        # Envoy sets first and removes last, so no name may stand in both lists.
        ok = OkHttpResponse(headers_to_remove=self._removed[has_jwt, allow.match.api.forward_authorization])
        if allow.backend_jwt is not None:
            ok.headers.append(header_option(self._header, allow.backend_jwt))
        return ok


def spellings(name: str) -> frozenset[str]:
    """A header's name with each `-` and `_` written either way: CGI and its heirs cannot tell them apart.

    Raises:
        ValueError: more spellings than an answer should carry.
    """
    choices = ["-_" if character in "-_" else character for character in name]
    if 2 ** choices.count("-_") > _MAX_SPELLINGS:
        raise ValueError(f"too many dashes in {name}")
    return frozenset("".join(spelling) for spelling in product(*choices))


def _metadata(allow: Allow) -> dict[str, str | None]:
    api = allow.match.api
    return {
        "api_id": api.id,
        "api_name": api.name,
        "api_version": api.version,
        "organization": api.organization,
        "resource": allow.match.resource.template,
        **(_caller(allow.access) if allow.access is not None else {}),
    }


def _caller(access: Access) -> dict[str, str | None]:
    facts = access.principal.facts
    return {
        "application": access.application.id if access.application is not None else None,
        "subscription_policy": access.subscription.policy if access.subscription is not None else None,
        "client_id": facts.client_id,
        "subject": facts.subject,
        "key_manager": access.principal.key_manager.id,
        "key_type": access.key_type,
    }
