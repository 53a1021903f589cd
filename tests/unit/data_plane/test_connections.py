"""Where the files are that key managers name: the same catalog serves replicas with folders of their own."""

from pathlib import Path

import pytest
from support.certificate_authority import CertificateAuthority

from extauthz.data_plane.connections import IssuerConnections, http_session
from extauthz.data_plane.endpoint_authentication import client_certificate
from extauthz.data_plane.secrets import Secrets
from extauthz.model.key_manager import KeyManager, MutualTls, Userinfo


@pytest.fixture
async def session():
    async with http_session() as opened:
        yield opened


def connections(session, folder):
    return IssuerConnections(session=session, secrets=Secrets({}, {}), clock=lambda: 0.0, folder=folder)


def key_manager(ca_file):
    return KeyManager(id="km", issuer="i", userinfo=Userinfo(endpoint="https://i/userinfo", ca_file=str(ca_file)))


async def test_a_relative_name_is_below_the_folder_of_the_process(session, tmp_path):
    authority = CertificateAuthority(tmp_path)
    relative = key_manager(authority.ca_file.name)
    assert connections(session, tmp_path).userinfo(relative)
    with pytest.raises(ValueError, match="cannot be read"):
        connections(session, tmp_path / "elsewhere").userinfo(relative)


async def test_an_absolute_name_is_where_it_says(session, tmp_path):
    authority = CertificateAuthority(tmp_path)
    assert connections(session, Path("/elsewhere")).userinfo(key_manager(authority.ca_file))


def test_so_is_the_certificate_that_we_show(tmp_path):
    way = MutualTls(client_id="c", certificate_file="tls/c.pem", key_secret="key")
    shown = client_certificate(way, Secrets({"key": b"pem"}, {}), tmp_path)
    assert shown is not None
    assert shown.certificate_file == str(tmp_path / "tls" / "c.pem")
