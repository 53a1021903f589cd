"""The TLS to a replica of whom the settings are at hand."""

import pytest
from support.certificate_authority import CertificateAuthority

from extauthz.cli.own_replica import own_tls
from extauthz.cli.tls_options import TlsOptions
from extauthz.settings.process import Settings

NOTHING = TlsOptions(ca=None, cert=None, key=None, server_name=None)


def replica(folder, **names):
    """Its settings, with a certificate of these names beside them."""
    certificate, _ = CertificateAuthority(folder).certificate("replica", **names)
    tls = {"certificate": certificate.name, "key": "not-read.key"}
    return Settings.model_validate({"catalog": {"file": "c.yaml"}, "tls": tls}), certificate.read_bytes()


@pytest.mark.parametrize(
    ("names", "asked_for"),
    [
        ({"dns_names": ["extauthz.svc", "other"]}, "extauthz.svc"),
        ({"dns_names": ["*.example.com"]}, "extauthz.example.com"),
        ({}, "127.0.0.1"),
        ({"unnamed": True}, None),
    ],
    ids=["first", "wildcard", "address", "none"],
)
def test_its_own_certificate_is_trusted_by_a_name_that_it_has(tmp_path, names, asked_for):
    settings, certificate = replica(tmp_path, **names)
    tls = own_tls(settings, tmp_path, NOTHING)
    assert tls is not None
    assert (tls.authorities, tls.server_name) == (certificate, asked_for)


def test_what_signed_its_own_certificate_is_not_trusted_by_itself(tmp_path):
    settings, certificate = replica(tmp_path, dns_names=["extauthz.svc"])
    file = tmp_path / settings.tls.certificate
    file.write_bytes(certificate + (tmp_path / "authority.pem").read_bytes())
    tls = own_tls(settings, tmp_path, NOTHING)
    assert tls is not None
    assert (tls.authorities, tls.server_name) == (certificate, "extauthz.svc")


def test_with_an_authority_the_name_must_be_that_of_the_address_or_the_one_that_is_given(tmp_path):
    settings, _ = replica(tmp_path, dns_names=["extauthz.svc"])
    ca = tmp_path / "authority.pem"
    for name in (None, "gate"):
        tls = own_tls(settings, tmp_path, TlsOptions(ca=ca, cert=None, key=None, server_name=name))
        assert tls is not None
        assert (tls.authorities, tls.server_name) == (ca.read_bytes(), name)


def test_without_tls_in_the_settings_it_is_spoken_to_in_the_clear(tmp_path):
    assert own_tls(Settings.model_validate({"catalog": {"file": "c.yaml"}}), tmp_path, NOTHING) is None
