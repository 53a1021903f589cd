"""The sections `tls` and `grpc`."""

import time

import pytest
from support.tls_server import TlsWorld

from extauthz.data_plane.server_settings import server_options, server_tls
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.envoy.server_options import ServerOptions
from extauthz.settings.process import Settings
from extauthz.settings.server import GrpcSettings, TlsSettings

MINIMAL = "catalog: {file: catalog.yaml}\n"
FILES = "certificate: tls.crt, key: tls.key"


def settings(text):
    return loads(MINIMAL + text, Settings, "extauthz.yaml")


@pytest.mark.parametrize(
    "name", ["gateway.example.com", "gateway", "spiffe://example.org/ns/gateway/sa/envoy", "urn-x://a"]
)
def test_client_names_are_dns_names_and_uris(name):
    tls = settings(f"tls: {{{FILES}, client_ca: ca.crt, client_names: ['{name}']}}").tls
    assert tls is not None
    assert tls.client_names == {name}


@pytest.mark.parametrize(
    "name", ["", "*.example.com", "10.0.0.1", "::1", "ops@example.com", "gateway.example.com.", "a b", "CN=gateway"]
)
def test_other_names_are_no_names_of_clients(name):
    with pytest.raises(DocumentError, match="client_names"):
        settings(f"tls: {{{FILES}, client_ca: ca.crt, client_names: ['{name}']}}")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("client_ca: ca.crt", "`client_ca` needs names of clients"),
        ("client_ca: ca.crt, client_names: []", "`client_ca` needs names of clients"),
        ("client_names: [gateway]", "without it no client shows a name"),
    ],
)
def test_an_authority_of_clients_and_their_names_go_together(more, problem):
    with pytest.raises(DocumentError, match=problem):
        settings(f"tls: {{{FILES}, {more}}}")


def test_connections_live_long_enough_for_a_check():
    text = "limits: {check_seconds: 30}\ngrpc: {max_connection_age_grace_seconds: 20}"
    with pytest.raises(DocumentError, match=r"must not be below `limits\.check_seconds`"):
        settings(text)


@pytest.mark.parametrize("mode", ["0660", '"0660"', '"660"'])
def test_a_mode_is_octal(mode):
    assert server_options(settings(f"grpc: {{socket_mode: {mode}}}").grpc).socket_mode == 0o660


@pytest.mark.parametrize("mode", ["660", '"0o660"', '"0668"', '"rw"'])
def test_a_mode_that_could_be_misread_is_refused(mode):
    with pytest.raises(DocumentError, match="socket_mode"):
        settings(f"grpc: {{socket_mode: {mode}}}")


def test_the_server_alone_has_the_limits_that_the_settings_have():
    assert server_options(GrpcSettings()) == ServerOptions()
    chosen = GrpcSettings(
        max_connection_age_seconds=2,
        max_connection_age_grace_seconds=3,
        keepalive_seconds=5,
        max_concurrent_streams=6,
        max_message_bytes=300_000,
        max_metadata_bytes=20_000,
        reflection=True,
    )
    arguments = dict(server_options(chosen).channel_arguments())
    assert arguments["grpc.max_connection_age_ms"] == 2000
    assert arguments["grpc.max_connection_age_grace_ms"] == 3000
    assert arguments["grpc.keepalive_time_ms"] == 5000
    assert arguments["grpc.max_concurrent_streams"] == 6
    assert arguments["grpc.max_receive_message_length"] == 300_000
    assert arguments["grpc.max_metadata_size"] == arguments["grpc.absolute_max_metadata_size"] == 20_000
    assert server_options(chosen).reflection


def test_the_files_are_beside_the_settings_and_said_if_they_are_not(tmp_path):
    world = TlsWorld(tmp_path)
    tls = TlsSettings(certificate="tls.crt", key="tls.key", client_ca="authority.pem", client_names=frozenset({"a.b"}))
    assert server_tls(tls, world.health, tmp_path, time.time).client_names == {"a.b"}
    (tmp_path / "tls.key").unlink()
    with pytest.raises(DocumentError, match=r"tls.*tls\.key cannot be read"):
        server_tls(tls, world.health, tmp_path, lambda: 0.0)
