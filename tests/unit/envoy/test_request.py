"""What Envoy says about a request, and what is made of it."""

import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from google.protobuf import json_format
from support.check_client import check_request

from extauthz.envoy.request import MAX_REQUEST_ID_LENGTH, RequestHeaders, request_context
from extauthz.model.check import GivenDetails, RequestContext
from extauthz.model.errors import Denied, Reason


def wire(**attributes):
    """The request after a trip over the wire."""
    return CheckRequest.FromString(bytes(check_request(**attributes)))


def on_route(metadata, **attributes):
    """The request on a route that has metadata, after a trip over the wire."""
    check = wire(**attributes)
    json_format.ParseDict({"filterMetadata": metadata}, check.attributes.route_metadata_context)
    return CheckRequest.FromString(check.SerializeToString())


def http_routes(*names):
    """What Envoy Gateway says of routes with the annotation `gateway.envoyproxy.io/extauthz-api`."""
    described = {"kind": "HTTPRoute", "name": "pets", "namespace": "shop", "sectionName": "all"}
    annotated = [{**described, "annotations": {"extauthz-api": name, "team": "pets"}} for name in names]
    return {"envoy-gateway": {"resources": [described, *annotated]}}


def from_address(address):
    check = wire()
    json_format.ParseDict(address, check.attributes.source.address)
    return CheckRequest.FromString(check.SerializeToString())


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


def test_a_header_may_be_repeated_often():
    """In time that grows with the number: with its square, this took minutes."""
    repeated = HeaderMap(headers=[HeaderValue(key="a", raw_value=b"x")] * 200_000)
    check = wire(raw_headers=[])
    check.attributes.request.http.header_map.CopyFrom(repeated)
    assert request_context(check).headers.get("a").count("x") == 200_000


def test_beside_raw_headers_the_others_do_not_count():
    """In the map of text, a repeated header could stand once."""
    check = wire(raw_headers=[("authorization", b"Bearer a"), ("authorization", b"Bearer b")])
    check.attributes.request.http.headers["authorization"] = "Bearer b"
    assert request_context(check).headers.get("authorization") == "Bearer a,Bearer b"


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


@pytest.mark.parametrize(
    "metadata",
    [
        {"extauthz": {"api": "petstore-v1", "more": {"than": "this"}}},
        http_routes("petstore-v1"),
        http_routes("petstore-v1", "petstore-v1"),
        {"extauthz": {"api": "petstore-v1"}} | http_routes("petstore-v1"),
        {"extauthz": {"other": 1}, "envoy.lb": {"api": "other"}} | http_routes("petstore-v1"),
    ],
)
def test_the_route_names_the_api_in_its_metadata(metadata):
    assert request_context(on_route(metadata)).api_id == "petstore-v1"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        http_routes(),
        {"extauthz": {}},
        {"envoy.lb": {"api": "petstore-v1"}},
        {"envoy-gateway": {"api": "petstore-v1", "extauthz-api": "petstore-v1"}},
        {"envoy-gateway": {"resources": "petstore-v1"}},
        {"envoy-gateway": {"resources": [None, {"annotations": "extauthz-api"}]}},
        {"envoy-gateway": {"resources": [{"annotations": {"gateway.envoyproxy.io/extauthz-api": "petstore-v1"}}]}},
    ],
)
def test_metadata_may_name_no_api(metadata):
    assert request_context(on_route(metadata)).api_id is None


@pytest.mark.parametrize(
    "metadata",
    [
        http_routes("petstore-v1", "petstore-v2"),
        {"extauthz": {"api": "petstore-v1"}} | http_routes("petstore-v2"),
        {"extauthz": {"api": "petstore-v1"}} | http_routes(""),
        {"extauthz": {"api": 1}},
        {"extauthz": {"api": None}},
        {"extauthz": {"api": ["petstore-v1"]}},
        {"extauthz": {"api": {"id": "petstore-v1"}}},
        http_routes(True),
        http_routes("petstore-v1", False),
    ],
)
def test_metadata_that_name_two_apis_or_no_name_refuse(metadata):
    """A route that was meant to name its API must not fall back to what the client chose."""
    with pytest.raises(Denied) as denied:
        request_context(on_route(metadata))
    assert denied.value.reason is Reason.NO_MATCHING_API


def test_an_empty_name_in_metadata_is_not_taken_for_no_name():
    assert request_context(on_route({"extauthz": {"api": ""}})).api_id == ""


@pytest.mark.parametrize("metadata", [{"extauthz": {"api": "other"}}, {"extauthz": {"api": 1}}, http_routes("a", "b")])
def test_a_context_extension_comes_before_metadata(metadata):
    assert request_context(on_route(metadata, extensions={"api": "petstore-v1"})).api_id == "petstore-v1"


def test_an_empty_context_extension_is_not_taken_for_none_either():
    assert request_context(on_route({"extauthz": {"api": "other"}}, extensions={"api": ""})).api_id == ""


def test_asking_for_absent_metadata_does_not_add_them():
    check = on_route({"extauthz": {"x": 1}})
    before = check.SerializeToString(deterministic=True)
    request_context(check)
    assert check.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ({"socketAddress": {"address": "192.0.2.7", "portValue": 4711}}, "192.0.2.7"),
        ({"socketAddress": {"address": "2001:db8::7", "portValue": 4711}}, "2001:db8::7"),
        ({"socketAddress": {"address": "::ffff:192.0.2.7", "portValue": 4711}}, "::ffff:192.0.2.7"),
        ({"socketAddress": {"address": "fe80::1%eth0", "portValue": 4711}}, "fe80::1%eth0"),
        ({"socketAddress": {"address": "client.example.com", "portValue": 4711}}, ""),
        ({"socketAddress": {"address": "cafe", "portValue": 4711}}, ""),
        ({"socketAddress": {"address": ":" * 46, "portValue": 4711}}, ""),
        ({"socketAddress": {"address": ":" * 200_000 + "!", "portValue": 4711}}, ""),
        ({"pipe": {"path": "/run/client.sock"}}, ""),
        ({"envoyInternalAddress": {"serverListenerName": "192.0.2.7"}}, ""),
        ({}, ""),
    ],
)
def test_the_peer_has_an_ip_address_or_none(address, seen):
    assert request_context(from_address(address)).peer_address == seen


def test_the_client_cannot_say_where_it_comes_from():
    assert request_context(wire(headers={"x-forwarded-for": "192.0.2.7"})).peer_address == ""


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


def test_a_query_which_may_hold_an_api_key_is_not_in_the_repr():
    assert "secret" not in repr(request_context(wire(path="/pets?api_key=secret")))


def test_scheme_and_client_certificate_are_taken_as_envoy_sends_them():
    context = request_context(wire(scheme="https", certificate="-----BEGIN%20CERTIFICATE-----"))
    assert (context.scheme, context.peer_certificate) == ("https", "-----BEGIN%20CERTIFICATE-----")
    assert "BEGIN" not in repr(context)


def test_what_envoy_does_not_send_is_empty():
    context = request_context(wire())
    assert (context.scheme, context.peer_certificate, context.peer_address) == ("", "", "")


def test_what_the_request_shows_of_itself_holds_no_credential():
    context = request_context(
        wire(path="/pets?api_key=secret", headers={"authorization": "secret"}, certificate="secret")
    )
    assert repr(context) == "RequestContext(method='GET', host='api.example.com', api_id=None)"


def test_a_request_may_be_described_by_its_parts():
    """As authors of extensions do in their tests."""
    context = RequestContext(
        method="PUT",
        host="h",
        path="/p",
        headers=RequestHeaders({"a": "b"}),
        api_id="a",
        details=GivenDetails(request_id="r", scheme="http", peer_certificate="PEM", peer_address="192.0.2.7"),
    )
    assert (context.method, context.host, context.path, context.api_id) == ("PUT", "h", "/p", "a")
    assert (context.headers.get("a"), context.request_id, context.scheme) == ("b", "r", "http")
    assert (context.peer_certificate, context.peer_address) == ("PEM", "192.0.2.7")


def test_what_is_not_said_of_a_request_is_empty():
    context = RequestContext(method="GET", host="h", path="/", headers=RequestHeaders({}))
    assert context.api_id is None
    assert (context.request_id, context.scheme, context.peer_certificate, context.peer_address) == ("", "", "", "")
