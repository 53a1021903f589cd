import pytest

from extauthz.envoy.request import request_context
from extauthz.envoy_client.sample_request import SampleRequest, Target


def test_a_request_arrives_as_it_was_described():
    sample = SampleRequest(
        target=Target.parse("https://api.example.com:8443/pets/%C3%A9?limit=1"),
        method="POST",
        headers={"X-Api-Key": "ä"},
        certificate="-----BEGIN CERTIFICATE-----\n+/=\n",
        peer_address="192.0.2.1",
        api="petstore",
    )
    context = request_context(sample.check_request())
    assert (context.method, context.host, context.path) == ("POST", "api.example.com:8443", "/pets/%C3%A9?limit=1")
    assert (context.scheme, context.peer_address, context.api_id) == ("https", "192.0.2.1", "petstore")
    assert context.headers.get("x-api-key").encode("latin-1") == "ä".encode()
    assert "%2B%2F%3D" in context.peer_certificate


def test_nothing_is_added_that_was_not_said():
    context = request_context(SampleRequest(target=Target.parse("http://host")).check_request())
    assert (context.path, context.api_id, context.peer_certificate) == ("/", None, "")


@pytest.mark.parametrize(
    "url",
    [
        *("/pets", "ftp://h/", "https://", "https://u:p@h/", "https://h/#part", "https:///x", "http://[::1"),
        *("http://h:99999/", "http://h:0/", "http://h:x/", "http://h/a b", "http://h/a\r\nx: y", "http://h/\0", ""),
    ],
)
def test_what_no_client_sends_is_no_target(url):
    with pytest.raises(ValueError, match="must"):
        Target.parse(url)


def test_secrets_are_in_no_representation():
    sample = SampleRequest(target=Target.parse("https://h/p?key=hidden"), headers={"authorization": "hidden"})
    assert "hidden" not in repr(sample)


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "GET /"},
        {"method": ""},
        {"headers": {"x y": "hidden"}},
        {"headers": {"": "hidden"}},
        {"headers": {"x": "hidden\r\ny: z"}},
        {"headers": {"x": "hidden\0"}},
        {"peer_address": "localhost"},
        {"peer_address": "192.0.2.1:80"},
    ],
)
def test_what_envoy_never_tells_is_no_request_and_no_value_is_repeated(wrong):
    with pytest.raises(ValueError, match=r"^not |^header ") as refused:
        SampleRequest(target=Target.parse("https://h/"), **wrong)
    assert "hidden" not in str(refused.value)
