"""JWTs: what counts as one, and which are refused before and after the signature."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt import api_jws
from support.signing_keys import rsa_private_key

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2 import base64url
from extauthz.oauth2.jwk import VerificationKey, thumbprint
from extauthz.oauth2.jwt import MAX_TOKEN_LENGTH, parse, verify

PRIVATE_KEY = rsa_private_key("jwt")
KEY = VerificationKey(public_key=PRIVATE_KEY.public_key(), thumbprint=thumbprint(PRIVATE_KEY.public_key()))
RS256 = frozenset({"RS256"})


def part(members) -> str:
    return base64url.encode(json.dumps(members).encode())


def signed(claims=None, *, payload: bytes | None = None, **headers) -> str:
    content = json.dumps(claims or {"iss": "https://issuer.example"}).encode() if payload is None else payload
    return api_jws.encode(content, PRIVATE_KEY, algorithm="RS256", headers=headers)


def signed_as_is(header: dict[str, object], payload: bytes = b'{"iss":"x"}') -> str:
    """Signs any header, also those that a JWT library would not write."""
    unsigned = f"{part(header)}.{base64url.encode(payload)}"
    algorithm = api_jws.get_algorithm_by_name("RS256")
    return f"{unsigned}.{base64url.encode(algorithm.sign(unsigned.encode(), PRIVATE_KEY))}"


def refused(token: str, algorithms: frozenset[str] = RS256) -> Denied:
    jwt = parse(token)
    assert jwt is not None
    with pytest.raises(Denied) as denied:
        verify(jwt, KEY, algorithms)
    assert denied.value.reason is Reason.INVALID_TOKEN
    return denied.value


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "a.b.c.d.e",
        "..",
        f"{part({'typ': 'JWT'})}.e30.AAAA",
        f"{part(['alg'])}.e30.AAAA",
        f"{part({'alg': 'RS256'})}.e30",
        f"{part({'alg': 'RS256'})}.e30.AAAA.AAAA",
        "ä.ö.ü",
        "\ud800.a.b",
    ],
)
def test_a_token_without_the_form_of_a_jwt_is_opaque(token):
    assert parse(token) is None


def test_a_parsed_token_tells_issuer_and_key():
    jwt = parse(signed({"iss": "https://issuer.example"}, kid="key-1", typ="application/AT+jwt"))
    assert jwt is not None
    assert (jwt.issuer, jwt.kid, jwt.alg, jwt.typ) == ("https://issuer.example", "key-1", "RS256", "at+jwt")
    assert not jwt.encrypted


def test_an_issuer_that_is_no_string_is_none():
    jwt = parse(signed({"iss": ["https://issuer.example"]}))
    assert jwt is not None
    assert jwt.issuer is None


def test_five_parts_are_an_encrypted_token_that_is_refused():
    token = f"{part({'alg': 'dir', 'enc': 'A256GCM', 'iss': 'https://issuer.example'})}..AAAA.AAAA.AAAA"
    jwt = parse(token)
    assert jwt is not None
    assert jwt.encrypted
    assert jwt.issuer == "https://issuer.example"
    assert "encrypted" in refused(token, frozenset({"dir"})).detail


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b'{"iss":"a","iss":"b"}',
        b'{"exp":NaN}',
        b'{"exp":1e999}',
        b'{"sub":"\\ud800"}',
        b"\xff\xfe",
        b'{"a":' + b"[" * 20_000,
    ],
    ids=lambda payload: repr(payload[:20]),
)
def test_a_jwt_with_broken_claims_is_refused_not_opaque(payload):
    with pytest.raises(Denied) as denied:
        parse(signed(payload=payload))
    assert denied.value.reason is Reason.INVALID_TOKEN


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"RS256","alg":"none"}',
        b'{"alg":"RS256","x":NaN}',
        b'{"alg":"RS256","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"alg":5}',
        b'{"alg":null}',
        b'{"alg":"RS256","kid":7}',
        b'{"alg":"RS256","typ":[]}',
    ],
    ids=lambda header: repr(header[:28]),
)
def test_a_jwt_with_a_broken_header_is_refused_not_opaque(header):
    with pytest.raises(Denied) as denied:
        parse(f"{base64url.encode(header)}.e30.AAAA")
    assert denied.value.reason is Reason.INVALID_TOKEN


@pytest.mark.parametrize("tail", ["e30=.AAAA", "e30.AAAA=", "e30.AA AA", "e30.AB", "e 30.AAAA", "e31.AAAA"])
def test_a_jwt_with_loose_base64_is_refused(tail):
    with pytest.raises(Denied):
        parse(f"{part({'alg': 'RS256'})}.{tail}")


@pytest.mark.parametrize("token", ["a" * 1_000_000, "a." * 500_000, f"{part({'alg': 'RS256'})}.{'A' * 1_000_000}.AAAA"])
def test_a_token_of_a_megabyte_is_refused_unread(token):
    with pytest.raises(Denied) as denied:
        parse(token)
    assert str(MAX_TOKEN_LENGTH) in denied.value.detail


@given(st.text() | st.lists(st.text(alphabet="eyJhbGciOiJSUzI1NiJ9A-_=", max_size=24), max_size=6).map(".".join))
@settings(deadline=None)
def test_any_text_is_read_or_refused(token):
    try:
        jwt = parse(token)
    except Denied as denied:
        assert denied.reason is Reason.INVALID_TOKEN  # noqa: PT017 - one of two good outcomes
    else:
        assert jwt is None or jwt.token == token


def test_a_valid_signature_gives_the_claims():
    jwt = parse(signed({"iss": "https://issuer.example", "n": 1}, typ="at+jwt"))
    assert jwt is not None
    claims = verify(jwt, KEY, RS256)
    assert claims.claims == {"iss": "https://issuer.example", "n": 1}
    assert claims.typ == "at+jwt"
    assert claims.key_thumbprint == KEY.thumbprint


def test_a_changed_signature_is_refused():
    header, payload, signature = signed().split(".")
    refused(f"{header}.{payload}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}")


def test_claims_of_another_token_are_refused():
    header, _, signature = signed({"sub": "alice"}).split(".")
    refused(f"{header}.{part({'sub': 'root'})}.{signature}")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS256", "HS512", "ES256K", "RSA1_5", "rs256"])
def test_an_algorithm_that_is_never_allowed_is_refused_even_if_configured(alg):
    for signature in ("", "AAAA"):
        denied = refused(f"{part({'alg': alg})}.{part({'iss': 'x'})}.{signature}", frozenset({alg, "RS256"}))
        assert "not allowed" in denied.detail


def test_an_algorithm_that_is_not_configured_is_refused():
    assert "not allowed" in refused(signed(), frozenset({"ES256", "PS256"})).detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crit", ["exp"]),
        ("crit", []),
        ("crit", ["b64"]),
        ("jku", "https://evil.example/jwks"),
        ("jwk", {"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        ("x5u", "https://evil.example/cert"),
        ("b64", True),
        ("b64", False),
        ("crit", None),
    ],
)
def test_a_header_that_brings_keys_or_extensions_is_refused_though_well_signed(name, value):
    assert name in refused(signed_as_is({"alg": "RS256", name: value})).detail


def test_a_certificate_chain_in_the_header_is_ignored():
    jwt = parse(signed_as_is({"alg": "RS256", "x5c": ["AAAA"]}))
    assert jwt is not None
    assert verify(jwt, KEY, RS256).key_thumbprint == KEY.thumbprint


def test_neither_token_nor_claims_are_printed():
    token = signed({"iss": "https://issuer.example", "sub": "alice"})
    jwt = parse(token)
    assert jwt is not None
    assert token not in repr(jwt)
    assert "alice" not in repr(verify(jwt, KEY, RS256))


def test_verified_claims_cannot_be_exchanged():
    jwt = parse(signed())
    assert jwt is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        verify(jwt, KEY, RS256).claims = {}  # type: ignore[misc,assignment]


def test_a_header_that_is_met_again_is_read_alike():
    first, second = parse(signed()), parse(signed())
    assert first == second
    assert first is not None
    with pytest.raises(TypeError):
        first.header["alg"] = "none"  # type: ignore[index] # others have the same header


@pytest.mark.parametrize("header", [b'{"alg":"RS256","alg":"none"}', b'{"alg":1}', b'{"alg":"RS256","kid":[]}'])
def test_a_header_that_is_refused_is_refused_each_time(header):
    token = f"{base64url.encode(header)}.e30.c2ln"
    for _ in range(2):
        with pytest.raises(Denied):
            parse(token)
