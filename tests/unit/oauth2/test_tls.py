"""TLS: whom we trust, and what we show, against a server that verifies it."""

import asyncio

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from support.authorization_server import AuthorizationServer
from support.certificate_authority import CertificateAuthority
from support.client_checks import mutual_tls
from support.introspecting import bounded_http, introspection_client

from extauthz.model.errors import Unavailable
from extauthz.oauth2.bounded_http import ConnectionLost
from extauthz.oauth2.client_authentication import UnprovenClient
from extauthz.oauth2.tls import ClientCertificate, client_tls


@pytest.fixture
def authority(tmp_path):
    return CertificateAuthority(tmp_path)


@pytest.fixture
async def server(authority):
    async with AuthorizationServer(tls=authority.server_tls()) as server:
        server.introspection_client = mutual_tls("gateway", "gateway.example")
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def certificate_of(authority, common_name="gateway.example") -> ClientCertificate:
    path, key = authority.certificate(common_name)
    return ClientCertificate(certificate_file=str(path), key=key)


async def asked(server, session, certificate, authority):
    tls = client_tls(str(authority.ca_file), certificate)
    client = introspection_client(server, session, UnprovenClient(client_id="gateway"), tls=tls)
    return await client.introspect(server.issue_opaque())


async def test_the_certificate_of_the_handshake_proves_who_asks(server, session, authority):
    assert (await asked(server, session, certificate_of(authority), authority)).active


async def test_without_the_right_certificate_nothing_is_proved(server, session, authority, tmp_path):
    with pytest.raises(Unavailable, match="401"):
        await asked(server, session, None, authority)
    with pytest.raises(Unavailable, match="401"):
        await asked(server, session, certificate_of(authority, "somebody.example"), authority)
    with pytest.raises(Unavailable):
        await asked(server, session, certificate_of(CertificateAuthority(tmp_path, "impostor")), authority)


async def test_connections_of_one_certificate_are_not_used_for_another(server, session, authority):
    """One pool serves all key managers, so it must keep them apart."""
    assert (await asked(server, session, certificate_of(authority), authority)).active
    with pytest.raises(Unavailable, match="401"):
        await asked(server, session, certificate_of(authority, "somebody.example"), authority)
    assert (await asked(server, session, certificate_of(authority), authority)).active


async def test_a_server_with_a_certificate_of_another_authority_is_refused(server, session, tmp_path):
    stranger = CertificateAuthority(tmp_path, "stranger")
    for tls in (client_tls(str(stranger.ca_file)), client_tls(None)):
        http = bounded_http(session, "jwks", tls=tls)
        with pytest.raises(ConnectionLost, match="Certificate"):
            await http.get(server.jwks_uri)
    assert server.jwks.calls == 0


async def test_its_own_authority_is_trusted(server, session, authority):
    http = bounded_http(session, "jwks", tls=client_tls(str(authority.ca_file)))
    assert (await http.get(server.jwks_uri)).status == 200


async def test_a_handshake_that_hangs_ends_with_the_connect_timeout(session, authority):
    """The time for everything is far longer here, so this is the other limit."""
    hanging = asyncio.Event()

    async def say_nothing(_reader, writer):
        await hanging.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        http = bounded_http(session, "jwks", tls=client_tls(str(authority.ca_file)), connect_seconds=0.2)
        with pytest.raises(Unavailable, match=r"no connection within 0\.2 s"):
            await http.get(f"https://127.0.0.1:{port}/jwks")
        hanging.set()


def test_the_key_is_never_written_to_a_file(authority, tmp_path):
    certificate = certificate_of(authority)
    before = sorted(tmp_path.iterdir())
    assert client_tls(None, certificate) is not None
    assert sorted(tmp_path.iterdir()) == before
    assert "PRIVATE KEY" not in repr(certificate)


def test_a_key_of_another_certificate_is_refused(authority):
    path, _ = authority.certificate("one")
    _, key = authority.certificate("two")
    with pytest.raises(ValueError, match="not the certificate of the key"):
        client_tls(None, ClientCertificate(certificate_file=str(path), key=key))


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(authority):
    path, plain = authority.certificate("one")
    key = load_pem_private_key(plain, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )
    with pytest.raises(ValueError, match="encrypted"):
        client_tls(None, ClientCertificate(certificate_file=str(path), key=key))


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("", "PEM"), ("no certificate", "PEM")])
def test_files_that_cannot_be_used_are_named(authority, tmp_path, content, message):
    path = tmp_path / "broken.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=f"broken.pem.*{message}"):
        client_tls(str(path))
    with pytest.raises(ValueError, match=f"broken.pem.*{message}"):
        client_tls(None, ClientCertificate(certificate_file=str(path), key=certificate_of(authority).key))
