"""Which secret goes where: what proves who we are, and what such a secret buys."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.catalogs import contents, key_manager
from support.certificate_authority import CertificateAuthority

from extauthz.data_plane.connections import IssuerConnections
from extauthz.data_plane.secrets import Secrets
from extauthz.model.key_manager import KeyManager

INTROSPECTION = "https://introspect.example/introspect"
TOKEN = "https://token.example/token"
REFRESH = "https://refresh.example/token"

REQUEST = {"token_endpoint": TOKEN, "client_id": "gateway", "client_secret": "client"}
REFRESHING = {"token_endpoint": REFRESH, "client_id": "gateway", "credentials": "none"}


async def no_keys(_kid, _alg):
    return ()


def key_manager_with(authentication: dict[str, Any], endpoint: str = INTROSPECTION) -> KeyManager:
    introspection = {"endpoint": endpoint, "authentication": authentication}
    entry = key_manager(introspection=introspection, issuer="https://issuer.example")
    return contents(Path(), key_managers=[entry]).key_managers[0]


async def opened(authentication: dict[str, Any], **hosts: str) -> None:
    """Opens the way with secrets that may be sent to these hosts."""
    values = dict.fromkeys(("client", "password", "direct", "first"), b"s3cret") | {"key": b"no key"}
    allowed = {name: frozenset(f"{host}.example" for host in places.split()) for name, places in hosts.items()}
    async with aiohttp.ClientSession() as session:
        connections = IssuerConnections(session=session, secrets=Secrets(values, allowed), clock=lambda: 0.0)
        introspector = connections.introspector(key_manager_with(authentication), no_keys)
        assert introspector is not None
        await introspector.close()


def password(**refresh: Any) -> dict[str, Any]:
    grant: dict[str, Any] = {**REQUEST, "username": "u", "password": "password"}
    return {"password": grant | ({"refresh": refresh} if refresh else {})}


GOOD: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"basic": {"username": "u", "password": "password"}}, {"password": "introspect"}),
    ({"client_secret_post": {"client_id": "c", "client_secret": "client"}}, {"client": "introspect"}),
    ({"client_credentials": REQUEST}, {"client": "token introspect"}),
    (password(), {"client": "token", "password": "token introspect"}),
    (password(**REFRESHING), {"client": "token", "password": "token introspect refresh"}),
    (
        password(**REFRESHING, refresh_token="first"),
        {"client": "token", "password": "token introspect refresh", "first": "refresh introspect"},
    ),
    ({"direct_token": {"access_token": "direct"}}, {"direct": "introspect"}),
    (
        {"direct_token": {"access_token": "direct", "refresh": {**REFRESHING, "refresh_token": "first"}}},
        {"direct": "introspect", "first": "refresh introspect"},
    ),
]
IDS = ["basic", "post", "client_credentials", "password", "refreshed", "first refresh", "direct", "direct refreshed"]


@pytest.mark.parametrize(("authentication", "hosts"), GOOD, ids=IDS)
async def test_secrets_that_may_go_where_they_would_be_sent_are_enough(authentication, hosts):
    await opened(authentication, **hosts)


@pytest.mark.parametrize(("authentication", "hosts"), GOOD, ids=IDS)
async def test_a_secret_and_what_it_buys_go_nowhere_else(authentication, hosts):
    """Each single permission is needed: a token bought with a password is worth as much as the password."""
    for name, places in hosts.items():
        for place in places.split():
            fewer = {**hosts, name: " ".join(other for other in places.split() if other != place)}
            with pytest.raises(ValueError, match=f"`{name}` may not be sent to {place}.example"):
                await opened(authentication, **fewer)


async def test_an_assertion_needs_a_key_that_fits():
    assertion = {"private_key_jwt": {"client_id": "c", "key": "key"}}
    with pytest.raises(ValueError, match="not PEM"):
        await opened(assertion)


async def test_a_certificate_needs_its_key():
    tls = {"mutual_tls": {"client_id": "c", "certificate_file": "nowhere.pem", "key": "absent"}}
    with pytest.raises(ValueError, match="`absent` is not one of"):
        await opened(tls)


async def test_a_certificate_needs_tls(tmp_path):
    path, key = CertificateAuthority(tmp_path).certificate("gateway.example")
    tls = {"mutual_tls": {"client_id": "c", "certificate_file": str(path), "key": "key"}}
    async with aiohttp.ClientSession() as session:
        connections = IssuerConnections(session=session, secrets=Secrets({"key": key}, {}), clock=lambda: 0.0)
        with pytest.raises(ValueError, match="needs an https endpoint"):
            connections.introspector(key_manager_with(tls, "http://127.0.0.1/introspect"), no_keys)


async def test_a_direct_token_that_is_none_is_refused():
    async with aiohttp.ClientSession() as session:
        secrets = Secrets({"direct": b"two words"}, {"direct": frozenset({"introspect.example"})})
        connections = IssuerConnections(session=session, secrets=secrets, clock=lambda: 0.0)
        with pytest.raises(ValueError, match="bearer token"):
            connections.introspector(key_manager_with({"direct_token": {"access_token": "direct"}}), no_keys)
