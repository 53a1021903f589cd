"""HTTP Basic as RFC 6749 wants it, and the ways that need no more than a name or a token."""

import base64

import pytest

from extauthz.oauth2.client_authentication import (
    BasicClientAuthentication,
    FixedBearerToken,
    PostClientAuthentication,
    UnprovenClient,
)

ENDPOINT = "https://issuer.example/introspect"


async def credentials(username: str, password: str) -> str:
    proof = await BasicClientAuthentication(username=username, password=password).prove(ENDPOINT)
    scheme, _, value = proof.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(value, validate=True).decode("ascii")


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [
        ("admin", "admin", "admin:admin"),
        ("s6BhdRkqt3", "gX1fBat3bV", "s6BhdRkqt3:gX1fBat3bV"),
        ("user:name", "p@ss w%rd+/=", "user%3Aname:p%40ss+w%25rd%2B%2F%3D"),
        ("zoë", "пароль", "zo%C3%AB:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C"),
        ("a-b._~", "", "a-b._~:"),
    ],
)
async def test_both_halves_are_form_encoded(username, password, expected):
    assert await credentials(username, password) == expected


def test_an_empty_username_is_refused():
    with pytest.raises(ValueError):
        BasicClientAuthentication(username="", password="x")


async def test_the_password_is_never_printed():
    authentication = BasicClientAuthentication(username="gateway", password="hunter2")
    assert "hunter2" not in repr(authentication)
    assert "Basic" not in repr(await authentication.prove(ENDPOINT))


async def test_credentials_in_the_form_leave_the_header_alone():
    proof = await PostClientAuthentication(client_id="gateway", client_secret="hunter2").prove(ENDPOINT)
    assert proof.form == {"client_id": "gateway", "client_secret": "hunter2"}
    assert proof.headers == {}
    assert "hunter2" not in repr(proof)


async def test_an_unproven_client_sends_its_name_alone():
    proof = await UnprovenClient(client_id="gateway").prove(ENDPOINT)
    assert (proof.form, proof.headers) == ({"client_id": "gateway"}, {})


async def test_a_fixed_token_goes_into_the_header_and_cannot_be_renewed():
    authentication = FixedBearerToken(token="hunter2")
    proof = await authentication.prove(ENDPOINT)
    assert (proof.form, proof.headers) == ({}, {"Authorization": "Bearer hunter2"})
    assert proof.discard is None
    assert "hunter2" not in repr(authentication)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Admin: 1", "tök", "a\x7f"])
def test_a_token_that_would_break_the_header_is_refused(token):
    with pytest.raises(ValueError, match="bearer token"):
        FixedBearerToken(token=token)
