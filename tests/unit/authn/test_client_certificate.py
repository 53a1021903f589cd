import json
from pathlib import Path
from urllib.parse import quote

import pytest
from support.catalogs import request

from extauthz.authn.client_certificate import FORWARDED_HEADER, forwarded_certificate, peer_certificate
from extauthz.oauth2 import base64url

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/rfc8705.json").read_text(encoding="utf-8"))
CERT = quote(VECTORS["appendix_a_certificate"], safe="")
THUMBPRINT = VECTORS["appendix_a_x5t_s256"]
HASH = base64url.decode(THUMBPRINT).hex()


def forwarded(header):
    return forwarded_certificate(request(headers={FORWARDED_HEADER: header}))


def test_the_certificate_of_the_connection_to_envoy_is_found():
    assert peer_certificate(request(peer_certificate=CERT)) == THUMBPRINT


def test_without_a_certificate_there_is_none():
    assert peer_certificate(request()) is None
    assert forwarded_certificate(request()) is None
    assert forwarded("By=spiffe://proxy") is None


@pytest.mark.parametrize(
    "element", [f"Hash={HASH}", f"Hash={HASH.upper()}", f"Cert={CERT}", f'Hash={HASH};Cert="{CERT}"']
)
def test_a_forwarded_certificate_is_known_by_its_hash_or_itself(element):
    assert forwarded(element) == THUMBPRINT


def test_a_header_is_not_read_where_the_connection_counts():
    assert peer_certificate(request(headers={FORWARDED_HEADER: f"Hash={HASH}"})) is None


def test_the_connection_is_not_read_where_the_header_counts():
    assert forwarded_certificate(request(peer_certificate=CERT)) is None


@pytest.mark.parametrize(
    "element", ["Hash=ab", f"Hash={HASH}00", f"Hash={HASH[:-1]}g", f"Hash={'00' * 32};Cert={CERT}", "Cert=nothing"]
)
def test_what_names_no_certificate_or_two_is_refused(element):
    with pytest.raises(ValueError):
        forwarded(element)


def test_a_connection_with_something_else_than_a_certificate_is_refused():
    with pytest.raises(ValueError):
        peer_certificate(request(peer_certificate="nothing"))
