"""Discovery: where metadata are looked for, and whose are believed."""

import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from support.authorization_server import OPENID_METADATA, RFC_8414_METADATA, AuthorizationServer, Misbehaviour
from support.introspecting import bounded_http

from extauthz.model.errors import Unavailable
from extauthz.oauth2.discovery import discovered_jwks_uri, metadata_urls


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        yield server


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield bounded_http(session, "discovery")


@pytest.mark.parametrize(
    ("issuer", "openid", "rfc_8414"),
    [
        ("https://as.example", "https://as.example{o}", "https://as.example{r}"),
        ("https://as.example/", "https://as.example{o}", "https://as.example{r}"),
        ("https://as.example:8443/t/one", "https://as.example:8443/t/one{o}", "https://as.example:8443{r}/t/one"),
        ("https://as.example/t/one/", "https://as.example/t/one{o}", "https://as.example{r}/t/one"),
    ],
)
def test_metadata_are_appended_by_openid_and_inserted_by_rfc_8414(issuer, openid, rfc_8414):
    expected = tuple(place.format(o=OPENID_METADATA, r=RFC_8414_METADATA) for place in (openid, rfc_8414))
    assert metadata_urls(issuer) == expected


@pytest.mark.parametrize(
    "issuer",
    ["somebody", "ftp://as.example", "https://", "https://as.example?x=1", "https://as.example#x", "https://u:p@x"],
)
def test_an_issuer_that_is_no_plain_url_has_no_metadata(issuer):
    with pytest.raises(ValueError, match="a URL"):
        metadata_urls(issuer)


@pytest.mark.parametrize("place", [OPENID_METADATA, RFC_8414_METADATA])
async def test_the_keys_are_found_at_either_place(server, http, place):
    server.metadata_paths = {place}
    assert await discovered_jwks_uri(server.issuer, http) == server.jwks_uri


async def test_an_issuer_without_metadata_is_unavailable(server, http):
    server.metadata_paths = set()
    with pytest.raises(Unavailable, match="404"):
        await discovered_jwks_uri(server.issuer, http)
    assert server.metadata.calls == 2


@pytest.mark.parametrize("issuer", ["{}/", "{}/t", "https://somebody.example", None, 7])
async def test_metadata_of_another_issuer_are_refused(server, http, issuer):
    server.metadata_changes = {"issuer": issuer.format(server.issuer) if isinstance(issuer, str) else issuer}
    with pytest.raises(ValueError, match="another issuer"):
        await discovered_jwks_uri(server.issuer, http)
    assert server.metadata.calls == 1


@pytest.mark.parametrize(
    "jwks_uri",
    [
        None,
        7,
        "",
        "/jwks",
        "http://as.example/jwks",
        "ftp://as.example/jwks",
        "https://",
        "https://[::1",
        "http://127.0.0.1.as.example/",
    ],
)
async def test_keys_that_anybody_on_the_way_could_exchange_are_refused(server, http, jwks_uri):
    server.metadata_changes = {"jwks_uri": jwks_uri}
    with pytest.raises(ValueError, match="jwks_uri"):
        await discovered_jwks_uri(server.issuer, http)


class EverythingIsHere(AbstractResolver):
    """Names of other machines lead to the simulator."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self):
        """Nothing is open."""


async def test_an_issuer_elsewhere_cannot_name_keys_on_this_machine(server):
    issuer = server.issuer.replace("127.0.0.1", "as.example")
    assert issuer != server.issuer
    server.metadata_changes = {"issuer": issuer, "jwks_uri": server.jwks_uri}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=EverythingIsHere())) as session:
        with pytest.raises(ValueError, match="jwks_uri"):
            await discovered_jwks_uri(issuer, bounded_http(session, "discovery"))
    assert server.metadata.calls == 1


async def test_keys_elsewhere_are_taken_over_https(server, http):
    server.metadata_changes = {"jwks_uri": "https://keys.example/jwks"}
    assert await discovered_jwks_uri(server.issuer, http) == "https://keys.example/jwks"


@pytest.mark.parametrize(
    "how", [Misbehaviour.STATUS_500, Misbehaviour.REDIRECT, Misbehaviour.HUGE, Misbehaviour.DISCONNECT]
)
async def test_a_wrong_answer_is_unavailable(server, http, how):
    server.metadata.misbehave(how)
    with pytest.raises(Unavailable) as unavailable:
        await discovered_jwks_uri(server.issuer, http)
    assert unavailable.value.component == "discovery"


async def test_what_is_no_json_is_refused(server, http):
    server.metadata.misbehave(Misbehaviour.HTML)
    with pytest.raises(ValueError, match="JSON"):
        await discovered_jwks_uri(server.issuer, http)
