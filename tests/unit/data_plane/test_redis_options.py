"""From a section of the settings to how its Redis is reached."""

import ssl
from pathlib import Path

import pytest
from support.certificate_authority import CertificateAuthority

from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.secrets import Secrets
from extauthz.document.mistakes import DocumentError, path_text
from extauthz.redis_client.options import ClusterServers, SentinelServers, SingleServer
from extauthz.settings.redis import ClusterSettings, RedisSettings, RedisTlsSettings, SentinelSettings

SECRETS = Secrets({"p": b"password", "q": b"another", "binary": b"\xff"}, {})


def options(settings, secrets=SECRETS, folder=Path(), section="catalog"):
    return redis_options(settings, secrets, folder, section=section)


def wrong(settings, secrets=SECRETS, folder=Path()):
    with pytest.raises(DocumentError) as caught:
        options(settings, secrets, folder)
    (mistake,) = caught.value.mistakes
    return path_text(mistake.location), mistake.message


def with_tls(**tls):
    return RedisSettings(url="rediss://host:1", tls=RedisTlsSettings(**tls))


def test_a_url_is_one_server():
    made = options(RedisSettings(url="redis://host:1", username="u", password="p", key_prefix="x:", timeout_seconds=2))
    assert made.servers == SingleServer(url="redis://host:1")
    assert (made.username, made.password, made.prefix, made.timeout_seconds, made.tls) == (
        "u", "password", "x:", 2, None
    )  # fmt: skip


def test_sentinels_have_addresses_and_a_password_of_their_own():
    sentinel = SentinelSettings(master="m", nodes=("a:1", "[::1]:2"), username="s", password="q")
    made = options(RedisSettings(sentinel=sentinel, password="p"))
    expected = SentinelServers(master="m", nodes=[("a", 1), ("::1", 2)], username="s", password="another")
    assert (made.servers, made.password) == (expected, "password")


def test_a_cluster_has_addresses():
    made = options(RedisSettings(cluster=ClusterSettings(nodes=("a:1", "b:2"))))
    assert made.servers == ClusterServers(nodes=[("a", 1), ("b", 2)])


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (RedisSettings(url="redis://h", password="binary"), "catalog.redis.password"),
        (
            RedisSettings(sentinel=SentinelSettings(master="m", nodes=("a:1",), password="binary")),
            "catalog.redis.sentinel.password",
        ),
    ],
)
def test_a_password_that_is_no_text_is_told_at_its_place(settings, place):
    assert wrong(settings)[0] == place


def test_files_are_relative_to_the_settings_and_the_key_is_a_secret(tmp_path):
    authority = CertificateAuthority(tmp_path)
    certificate, key = authority.certificate("extauthz")
    settings = with_tls(ca_file=authority.ca_file.name, certificate_file=certificate.name, key="k")
    before = sorted(tmp_path.iterdir())
    tls = options(settings, Secrets({"k": key}, {}), tmp_path).tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(tls.get_ca_certs()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_tls_without_files_trusts_the_authorities_of_the_system():
    tls = options(RedisSettings(cluster=ClusterSettings(nodes=("a:1",)), tls=RedisTlsSettings())).tls
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED


def test_files_that_are_of_no_use_are_told_at_their_place(tmp_path):
    authority = CertificateAuthority(tmp_path)
    certificate, key = authority.certificate("extauthz")
    _, another = authority.certificate("another")
    secrets = Secrets({"k": key, "another": another, "none": b"not a key"}, {})
    (tmp_path / "empty.pem").touch()
    for tls, says in (
        ({"ca_file": "nosuch.pem"}, "cannot be read"),
        ({"ca_file": "empty.pem"}, "no PEM certificate"),
        ({"certificate_file": "nosuch.pem", "key": "k"}, "cannot be read"),
        ({"certificate_file": certificate.name, "key": "another"}, "not the certificate of the key"),
        ({"certificate_file": certificate.name, "key": "none"}, "key"),
    ):
        place, message = wrong(with_tls(**tls), secrets, tmp_path)
        assert place == "catalog.redis.tls"
        assert says in message
        assert "not a key" not in message
