"""What an allowed request takes along: what is ours to say, and nothing that only looks like it."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, OkHttpResponse
from google.protobuf.struct_pb2 import Struct
from google.rpc import code_pb2

from extauthz.backend_jwt.attributes import NAMES, Values, attribute_values
from extauthz.envoy.header_option import header_name, serialized_header_option
from extauthz.envoy.serialized_field import serialized_field
from extauthz.model.api import Api
from extauthz.model.api_security import ApiKeyPlacement
from extauthz.model.check import Allow, Deny
from extauthz.model.header_name import ensure_settable, spellings

_CREDENTIALS = frozenset({"authorization", "dpop"})
_CLIENT_CERTIFICATE = "x-forwarded-client-cert"
_KEPT = 4096
"""Prepared parts of answers, of each kind."""

_Treatment = tuple[bool, bool, ApiKeyPlacement | None]
"""Whether Authorization and the client's certificate are forwarded, and where an API key may stand."""


class OkResponses:
    """Answers to allowed requests.

    We own the header of the backend JWT and the upstream headers, in every spelling: what this reply does not set is
    removed, on open resources too, so the upstream may trust what it gets. Credentials are removed unless the API
    forwards them, and they were verified.

    Answers are put together from serialized parts: messages in between would take 6 us of each Check.
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
        self._removing = lru_cache(maxsize=_KEPT)(self._serialized_removals)
        self._setting_nothing = lru_cache(maxsize=_KEPT)(lambda treatment: _allowing(self._removing((), treatment)))

    def response(self, allow: Allow) -> bytes:
        """The answer, serialized.

        Raises:
            ValueError: a header value that cannot be sent.
        """
        match, access, jwt, headers = allow.match, allow.access, allow.backend_jwt, allow.headers
        # A token is forwarded only where it was the credential: whoever gets one from us takes it for verified.
        verified = access is not None and access.principal.key_manager is not None
        treatment = _treatment(match.api, may_forward=verified)
        metadata = _serialized_metadata(attribute_values(match.api, match.resource, access))
        if jwt is None and not headers:
            return self._setting_nothing(treatment) + metadata
        if jwt is not None:
            headers = {self._header: jwt, **headers}
        return _allowing(_serialized_headers(headers) + self._removing(tuple(headers), treatment)) + metadata

    def shadowed(self, deny: Deny) -> bytes:
        """The answer, serialized, to a request that is let through although it is refused.

        Nobody is known, so nothing is set, and what is ours is removed. Of the client's own credentials the upstream
        gets what it would get if extauthz were not there, as far as the API forwards them: an upstream that checks
        tokens itself goes on to do so. An API key is removed as ever. Without an API, nothing is known of the upstream.
        """
        treatment = _NOTHING_KNOWN if deny.api is None else _treatment(deny.api, may_forward=True)
        named = (*_named(deny), ("shadow_reason", deny.reason.value))
        metadata = serialized_field(CheckResponse.DYNAMIC_METADATA_FIELD_NUMBER, _struct(named))
        return self._setting_nothing(treatment) + metadata

    def _serialized_removals(self, set_names: tuple[str, ...], treatment: _Treatment) -> bytes:
        """The part of an OkHttpResponse that is the same for many: it removes what is not set.

        Envoy sets first and removes last, so no name may stand in both lists.
        """
        authorization, certificate, api_key = treatment
        removed = spellings(_CLIENT_CERTIFICATE) | _CREDENTIALS
        if authorization:
            removed -= _CREDENTIALS
        if certificate:
            removed -= {_CLIENT_CERTIFICATE}
        removed |= self._owned  # after what is forwarded: a client's own never passes for ours
        if api_key is not None and api_key.header is not None:
            removed |= spellings(api_key.header)
        ok = OkHttpResponse(headers_to_remove=sorted(removed - set(set_names)))
        if api_key is not None and api_key.query is not None:
            ok.query_parameters_to_remove.append(api_key.query)
        return bytes(ok.SerializeToString())


def _treatment(api: Api, *, may_forward: bool) -> _Treatment:
    """All of an API that decides what is removed; a token only if it `may_forward` one at all."""
    return may_forward and api.forward_authorization, api.forward_client_certificate, api.security.api_key


_NOTHING_KNOWN: _Treatment = (True, True, None)


def _named(deny: Deny) -> tuple[tuple[str, str | None], ...]:
    """The API and the resource, as far as they were found."""
    if deny.api is None:
        return ()
    if deny.resource is None:
        known = (deny.api.id, deny.api.name, deny.api.version, deny.api.organization)
        return tuple(zip(NAMES, known, strict=False))
    return tuple(zip(NAMES, attribute_values(deny.api, deny.resource, None), strict=False))


def _allowing(ok_response: bytes) -> bytes:
    return _STATUS_OK + serialized_field(CheckResponse.OK_RESPONSE_FIELD_NUMBER, ok_response)


def _serialized_headers(headers: Mapping[str, str]) -> bytes:
    fields = b""
    for name, value in headers.items():
        fields += serialized_field(OkHttpResponse.HEADERS_FIELD_NUMBER, serialized_header_option(name, value))
    return fields


@lru_cache(maxsize=_KEPT)
def _serialized_metadata(values: Values) -> bytes:
    """The outer field: `ok_response.dynamic_metadata` is deprecated and would override it."""
    named = tuple(zip(NAMES, values, strict=False))  # without a caller there are fewer
    known = _kept_struct(named[:_SUBJECT]) + _struct(named[_SUBJECT:])
    return serialized_field(CheckResponse.DYNAMIC_METADATA_FIELD_NUMBER, known)


def _struct(named: tuple[tuple[str, str | None], ...]) -> bytes:
    struct = Struct()
    for name, value in named:
        if value:
            struct.fields[name].string_value = value
    return bytes(struct.SerializeToString())


_kept_struct = lru_cache(maxsize=_KEPT)(_struct)
"""Without the subject: there may be as many of them as tokens, and all values together take 7 us."""
_SUBJECT = NAMES.index("subject")


def _status_ok() -> bytes:
    response = CheckResponse()
    response.status.code = code_pb2.OK
    return bytes(response.SerializeToString())


_STATUS_OK = _status_ok()
