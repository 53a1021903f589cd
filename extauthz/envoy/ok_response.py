"""What an allowed request takes along: what is ours to say, and nothing that only looks like it."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, OkHttpResponse
from google.rpc import code_pb2

from extauthz.backend_jwt.attributes import api_attributes, caller_attributes
from extauthz.envoy.header_option import header_name, header_option
from extauthz.model.check import Allow
from extauthz.model.header_name import ensure_settable, spellings

_CREDENTIALS = frozenset({"authorization", "dpop"})
_CLIENT_CERTIFICATE = "x-forwarded-client-cert"
_KEPT = 1024
"""Prepared parts of answers: for each way in which APIs treat headers, and for each caller of a resource."""


class OkResponses:
    """Answers to allowed requests.

    We own the header of the backend JWT and the upstream headers, in every spelling: what this reply does not set is
    removed, on open resources too, so the upstream may trust what it gets. Credentials are removed unless the API
    forwards them, and they were verified.
    """

    def __init__(self, backend_jwt_header: str, upstream_headers: Iterable[str] = ()) -> None:
        """Prepare the lists of what to remove.

        Raises:
            ValueError: a name is not one that we may set, or has too many spellings.
        """
        self._header = header_name(backend_jwt_header)
        names = {self._header, *map(header_name, upstream_headers)}
        for name in names:
            ensure_settable(name)
        self._owned = frozenset().union(*map(spellings, names))
        self._prepared = lru_cache(maxsize=_KEPT)(self._removing)

    def response(self, allow: Allow) -> bytes:
        """The answer, serialized.

        Raises:
            ValueError: a header value that cannot be sent.
        """
        headers = allow.headers if allow.backend_jwt is None else {self._header: allow.backend_jwt, **allow.headers}
        prepared = self._prepared(tuple(headers), *_treatment(allow))
        # Fields of a message may stand behind each other, each serialized by itself.
        metadata = _serialized_metadata(tuple(_metadata(allow).items()))
        return (_with(headers, prepared) if headers else prepared) + metadata

    def _removing(
        self,
        set_names: tuple[str, ...],
        forwarded: frozenset[str],
        api_key_header: str | None,
        api_key_query: str | None,
    ) -> bytes:
        """The serialized part of an answer that is the same for many: it allows, and removes what is not set.

        Envoy sets first and removes last, so no name may stand in both lists.
        """
        removed = self._owned | ((_CREDENTIALS | spellings(_CLIENT_CERTIFICATE)) - forwarded)
        if api_key_header is not None:
            removed |= spellings(api_key_header)
        ok = OkHttpResponse(headers_to_remove=sorted(removed - set(set_names)))
        if api_key_query is not None:
            ok.query_parameters_to_remove.append(api_key_query)
        response = CheckResponse(ok_response=ok)
        response.status.code = code_pb2.OK
        return bytes(response.SerializeToString())


def _with(headers: Mapping[str, str], prepared: bytes) -> bytes:
    response = CheckResponse.FromString(prepared)
    for name, value in headers.items():
        response.ok_response.headers.append(header_option(name, value))
    return bytes(response.SerializeToString())


@lru_cache(maxsize=_KEPT)
def _serialized_metadata(attributes: tuple[tuple[str, str | None], ...]) -> bytes:
    """The outer field: `ok_response.dynamic_metadata` is deprecated and would override it."""
    response = CheckResponse()
    fields = response.dynamic_metadata.fields
    for attribute, known in attributes:
        if known:
            fields[attribute].string_value = known
    return bytes(response.SerializeToString())


_FORWARDED = {
    (authorization, certificate): (_CREDENTIALS if authorization else frozenset())
    | (frozenset({_CLIENT_CERTIFICATE}) if certificate else frozenset())
    for authorization in (False, True)
    for certificate in (False, True)
}


def _treatment(allow: Allow) -> tuple[frozenset[str], str | None, str | None]:
    """All of an API that decides what is removed.

    A token is forwarded only where it was the credential: whoever gets one from us takes it for verified.
    """
    api, access = allow.match.api, allow.access
    verified = access is not None and access.principal.key_manager is not None
    forwarded = _FORWARDED[verified and api.forward_authorization, api.forward_client_certificate]
    api_key = api.security.api_key
    return (forwarded, None, None) if api_key is None else (forwarded, api_key.header, api_key.query)


def _metadata(allow: Allow) -> dict[str, str | None]:
    known = api_attributes(allow.match.api, allow.match.resource)
    return known if allow.access is None else known | caller_attributes(allow.access)
