"""RFC 8705 §3.1 and appendix A."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.oauth2.certificate_binding import MAX_ENCODED_LENGTH, certificate_thumbprint

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/rfc8705.json").read_text(encoding="utf-8"))
PEM = VECTORS["appendix_a_certificate"]


@pytest.mark.parametrize(
    "encoded", [quote(PEM, safe=""), quote(PEM), quote(PEM.strip()), quote(PEM.replace("\n", "\r\n"))]
)
def test_the_thumbprint_of_the_rfcs_certificate_is_that_of_the_rfc(encoded):
    assert certificate_thumbprint(encoded) == VECTORS["appendix_a_x5t_s256"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "certificate",
        quote(PEM + PEM),
        quote(PEM.replace("CERTIFICATE", "PUBLIC KEY")),
        quote(PEM.replace("-----END CERTIFICATE-----", "")),
        quote("attributes\n" + PEM),
        quote("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"),
        quote("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----"),
        quote("-----BEGIN CERTIFICATE-----\nAA=A\n-----END CERTIFICATE-----"),
        quote(PEM) + "%20" * MAX_ENCODED_LENGTH,
    ],
)
def test_what_is_not_one_certificate_is_refused(text):
    with pytest.raises(ValueError):
        certificate_thumbprint(text)


@pytest.mark.parametrize("blanks", [" ", "\n", "\t \r\n"])
def test_blanks_without_end_are_refused_whatever_their_number(blanks):
    """A pattern that shares them out in every possible way does not end within the time of a test."""
    many = (blanks * MAX_ENCODED_LENGTH)[: MAX_ENCODED_LENGTH - 100]
    for text in (f"-----BEGIN CERTIFICATE-----{many}", f"-----BEGIN CERTIFICATE-----{many}-----END", many):
        with pytest.raises(ValueError, match="not one certificate"):
            certificate_thumbprint(text)


@pytest.mark.parametrize(
    "text", ["-----BEGIN CERTIFICATE-----AAAA\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"]
)
def test_begin_has_a_line_of_its_own_and_an_end(text):
    with pytest.raises(ValueError, match="not one certificate"):
        certificate_thumbprint(text)


@given(st.text())
def test_no_text_raises_anything_but_a_value_error(text):
    try:
        certificate_thumbprint(text)
    except ValueError:
        return
    raise AssertionError("a random text is no certificate")
