"""Who is believed to be which client."""

import base64
from urllib.parse import quote_plus

import pytest
from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.datastructures import Headers

from extauthz.resident.client import Client
from extauthz.resident.client_authentication import ClientNotAuthenticated, authenticate_client
from extauthz.resident.client_secret import secret_digest
from extauthz.resident.form import FormRequest

SECRET = "a+b%2Fc d:e\u00e9" + "x" * 32
CLIENTS = {
    "basic": Client(client_id="basic", secret_digest=secret_digest(SECRET)),
    "post": Client(
        client_id="post", secret_digest=secret_digest(SECRET), token_endpoint_auth_method="client_secret_post"
    ),
}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def authenticated(*authorization: str, **form: str) -> tuple[str, str]:
    headers = Headers(raw=[(b"authorization", value.encode()) for value in authorization])
    client, method = authenticate_client(FormRequest(headers=headers, form=form), CLIENTS.get)
    return client.client_id, method


def test_the_secret_may_come_form_encoded_or_plain() -> None:
    assert authenticated(basic("basic", quote_plus(SECRET))) == ("basic", "client_secret_basic")
    assert authenticated(basic("basic", SECRET)) == ("basic", "client_secret_basic")


def test_the_scheme_is_case_insensitive() -> None:
    assert authenticated(basic("basic", SECRET).replace("Basic", "bASIC"))[0] == "basic"


def test_the_form_may_repeat_the_client_of_the_header() -> None:
    assert authenticated(basic("basic", SECRET), client_id="basic")[0] == "basic"


def test_secret_in_the_form_is_taken_as_it_is() -> None:
    assert authenticated(client_id="post", client_secret=SECRET) == ("post", "client_secret_post")
    with pytest.raises(ClientNotAuthenticated):
        authenticated(client_id="post", client_secret=quote_plus(SECRET))


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        ([basic("basic", SECRET)] * 2, {}),
        ([basic("basic", SECRET)], {"client_secret": SECRET}),
        ([basic("basic", SECRET)], {"client_id": "post"}),
    ],
    ids=["two headers", "header and form", "two clients"],
)
def test_two_authentications_are_an_invalid_request(authorization: list[str], form: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        authenticated(*authorization, **form)


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        ([], {}),
        ([], {"client_id": "post"}),
        ([], {"client_secret": SECRET}),
        ([], {"client_id": "basic", "client_secret": SECRET}),
        ([basic("post", SECRET)], {}),
        ([basic("basic", "")], {}),
        ([basic("", "")], {}),
        ([basic("", SECRET)], {}),
        (["Basic"], {}),
        (["Basic \u00e9"], {}),
        (["Basic " + base64.b64encode(b"\xff:\xff").decode()], {}),
    ],
)
def test_anything_else_is_no_authentication(authorization: list[str], form: dict[str, str]) -> None:
    with pytest.raises(ClientNotAuthenticated):
        authenticated(*authorization, **form)


def test_an_unknown_client_and_a_wrong_secret_get_the_same_answer() -> None:
    answers = []
    for client_id, secret in (("basic", "wrong"), ("nobody", SECRET), ("nobody", "")):
        with pytest.raises(ClientNotAuthenticated) as caught:
            authenticated(basic(client_id, secret))
        answers.append(caught.value())
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 401
