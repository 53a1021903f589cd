"""What Envoy says about a request, and what is made of it."""

import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from support.check_client import check_request

from extauthz.envoy.request import MAX_REQUEST_ID_LENGTH, request_context
from extauthz.model.errors import Denied, Reason


def wire(**attributes):
    """The request after a trip over the wire."""
    return CheckRequest.FromString(bytes(check_request(**attributes)))


def test_the_request_is_taken_as_envoy_describes_it():
    context = request_context(wire(method="PUT", host="api.example.com:8443", path="/a%20b?q=1#x"))
    assert (context.method, context.host, context.path) == ("PUT", "api.example.com:8443", "/a%20b?q=1#x")


def test_headers_are_found_by_name_and_absent_ones_are_empty():
    headers = request_context(wire(headers={"authorization": "Bearer a"})).headers
    assert headers.get("authorization") == "Bearer a"
    assert headers.get("dpop") == ""
    assert headers.get("dpop", "none") == "none"


def test_asking_for_an_absent_header_does_not_add_it():
    check = wire(headers={"authorization": "Bearer a"})
    request_context(check).headers.get("dpop", "none")
    assert list(check.attributes.request.http.headers) == ["authorization"]


def test_raw_headers_of_any_bytes_are_read():
    headers = request_context(wire(raw_headers=[("authorization", b"Bearer \xff\xfe\x00")])).headers
    assert headers.get("authorization") == "Bearer \xff\xfe\x00"


def test_repeated_raw_headers_are_joined_so_that_none_is_taken_for_the_only_one():
    repeated = [("authorization", b"Bearer a"), ("x", b"1"), ("Authorization", b"Bearer b")]
    assert request_context(wire(raw_headers=repeated)).headers.get("authorization") == "Bearer a,Bearer b"


def test_a_repeated_empty_header_still_shows():
    repeated = [("authorization", b""), ("authorization", b"Bearer b")]
    assert request_context(wire(raw_headers=repeated)).headers.get("authorization") == ",Bearer b"


def test_a_raw_header_may_carry_text_instead_of_bytes():
    check = wire(raw_headers=[])
    check.attributes.request.http.header_map.CopyFrom(HeaderMap(headers=[HeaderValue(key="x", value="é")]))
    assert request_context(check).headers.get("x") == "é"


def test_the_route_names_the_api():
    assert request_context(wire(extensions={"api": "petstore-v1"})).api_id == "petstore-v1"


def test_without_a_name_the_api_is_found_by_host_and_path():
    assert request_context(wire(extensions={"other": "x"})).api_id is None


def test_an_empty_name_is_not_taken_for_no_name():
    """A route whose template came out empty must not fall back to what the client chose."""
    assert request_context(wire(extensions={"api": ""})).api_id == ""


def test_the_api_cannot_be_named_by_the_client():
    assert request_context(wire(headers={"api": "other"})).api_id is None


def test_the_request_id_is_the_header_that_others_log():
    assert request_context(wire(headers={"x-request-id": "r-1"})).request_id == "r-1"
    assert request_context(wire(raw_headers=[("x-request-id", b"r-2")])).request_id == "r-2"


def test_without_the_header_the_stream_id_is_the_request_id():
    assert request_context(wire()).request_id == "stream-1"


def test_a_request_id_of_any_length_is_cut():
    assert len(request_context(wire(headers={"x-request-id": "r" * 10_000})).request_id) == MAX_REQUEST_ID_LENGTH


@pytest.mark.parametrize("message", [b"", b"\x0a\x00", b"\x0a\x02\x22\x00"])
def test_a_check_without_an_http_request_is_refused(message):
    with pytest.raises(Denied) as denied:
        request_context(CheckRequest.FromString(message))
    assert denied.value.reason is Reason.INVALID_REQUEST


def test_headers_are_not_in_the_repr():
    assert "secret" not in repr(request_context(wire(headers={"authorization": "Bearer secret"})))


def test_scheme_and_client_certificate_are_taken_as_envoy_sends_them():
    context = request_context(wire(scheme="https", certificate="-----BEGIN%20CERTIFICATE-----"))
    assert (context.scheme, context.peer_certificate) == ("https", "-----BEGIN%20CERTIFICATE-----")
    assert "BEGIN" not in repr(context)


def test_what_envoy_does_not_send_is_empty():
    context = request_context(wire())
    assert (context.scheme, context.peer_certificate) == ("", "")
