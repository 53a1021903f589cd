"""Signed introspection answers: believed only when this issuer signed them, now, for us, as such (RFC 9701)."""

import time

import aiohttp
import pytest
from aiohttp import web
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.introspecting import introspection_client
from support.signed_answers import signed_answer
from support.signing_keys import SigningKey, private_key

from extauthz.model.errors import Unavailable
from extauthz.oauth2.client_authentication import BasicClientAuthentication
from extauthz.oauth2.jwks import JwksClient
from extauthz.oauth2.signed_introspection import SignedAnswers


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def asking(server, session):
    """Asks with an answer reader that differs from the usual one in what is given."""
    jwks = JwksClient(server.jwks_uri, session, time.time)

    async def keys(kid, alg):
        return await jwks.keys(kid, alg)

    def client(**settings):
        defaults = {
            "issuer": server.issuer,
            "audience": "gateway",
            "algorithms": frozenset({"RS256"}),
            "required": True,
            "keys": keys,
            "clock": time.time,
        }
        authentication = BasicClientAuthentication(username=server.client_id, password=server.client_secret)
        return introspection_client(server, session, authentication, answers=SignedAnswers(**defaults | settings))

    yield client
    await jwks.close()


def sign_with(server, **changes):
    server.introspection_answer = lambda content: signed_answer(server, content, **changes)


async def refusal(client, server) -> str:
    with pytest.raises(Unavailable) as unavailable:
        await client.introspect(server.issue_opaque(sub="hunter2"))
    assert "hunter2" not in repr(unavailable.value)
    return unavailable.value.detail


@pytest.mark.parametrize("audience", ["gateway", ["somebody", "gateway"]])
async def test_a_good_answer_gives_what_it_says_about_the_token(asking, server, audience):
    sign_with(server, audience=audience)
    client = asking()
    response = await client.introspect(server.issue_opaque(sub="bob"))
    assert response.active
    assert response.claims["sub"] == "bob"
    assert response.claims["client_id"] == "client-1"
    assert not (await client.introspect("unknown")).active


async def test_what_is_wanted_is_said(asking, server):
    sign_with(server)
    await asking().introspect(server.issue_opaque())
    await asking(required=False).introspect(server.issue_opaque())
    assert [headers["Accept"] for headers, _ in server.questions] == [
        "application/token-introspection+jwt",
        "application/token-introspection+jwt, application/json;q=0.9",
    ]


async def test_a_plain_answer_is_refused_where_a_signature_is_required(asking, server):
    assert "not signed" in await refusal(asking(), server)
    assert (await asking(required=False).introspect(server.issue_opaque())).active


async def test_a_signed_answer_under_another_content_type_is_not_taken_for_one(asking, server):
    sign_with(server, media_type="application/jwt")
    assert "not signed" in await refusal(asking(), server)
    assert "not a JSON object" in await refusal(asking(required=False), server)


async def test_an_optional_signature_must_be_right_all_the_same(asking, server):
    sign_with(server, audience="somebody")
    assert "another audience" in await refusal(asking(required=False), server)


async def test_an_answer_that_somebody_else_signed_is_refused(asking, server):
    impostor = SigningKey(kid=server.signing_key.kid, alg="RS256", private_key=private_key("RS256", "impostor"))
    sign_with(server, key=impostor)
    assert "cannot be believed" in await refusal(asking(), server)


async def test_an_answer_with_an_unknown_key_is_refused(asking, server):
    stranger = SigningKey(kid="stranger", alg="RS256", private_key=private_key("RS256", "impostor"))
    sign_with(server, key=stranger)
    assert "unknown key" in await refusal(asking(), server)


async def test_an_algorithm_that_is_not_configured_is_refused_before_a_key_is_looked_for(asking, server):
    sign_with(server)
    assert "algorithm" in await refusal(asking(algorithms=frozenset({"ES256"})), server)
    assert server.jwks.calls == 0


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "", None])
async def test_another_jwt_of_the_issuer_is_no_answer(asking, server, typ):
    sign_with(server, typ=typ)
    assert "`typ`" in await refusal(asking(), server)


async def test_the_type_may_be_written_as_a_whole_media_type(asking, server):
    sign_with(server, typ="application/token-introspection+jwt")
    assert (await asking().introspect(server.issue_opaque())).active


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audience": "somebody"}, "another audience"),
        ({"audience": None}, "another audience"),
        ({"audience": 7}, "cannot be believed"),
        ({"iss": "https://somebody.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"iat": None}, "iat"),
        ({"iat": int(time.time()) - 3600}, "iat"),
        ({"iat": int(time.time()) + 3600}, "iat"),
        ({"iat": "now"}, "cannot be believed"),
        ({"token_introspection": None}, "token_introspection"),
        ({"token_introspection": [True]}, "token_introspection"),
    ],
    ids=lambda value: str(value)[:32],
)
async def test_an_answer_that_is_not_for_us_or_not_of_now_is_refused(asking, server, changes, message):
    sign_with(server, **changes)
    assert message in await refusal(asking(), server)


async def test_members_beside_the_answer_say_nothing_about_the_token(asking, server):
    sign_with(server, token_introspection={"sub": "alice"}, active=True)
    assert not (await asking().introspect(server.issue_opaque())).active


async def test_active_must_be_true_itself_in_a_signed_answer_too(asking, server):
    sign_with(server, token_introspection={"active": "true"})
    assert not (await asking().introspect(server.issue_opaque())).active


@pytest.mark.parametrize("body", ["", "no JWT", "a.b.c", "ä.ö.ü", "e30.e30.e30.e30.e30"])
async def test_what_is_no_signed_jwt_is_refused(asking, server, body):
    server.introspection_answer = lambda _: web.Response(text=body, content_type="application/token-introspection+jwt")
    assert "signed answer" in await refusal(asking(), server)


async def test_keys_that_cannot_be_had_make_it_unavailable(asking, server):
    sign_with(server)
    server.jwks.misbehave(Misbehaviour.STATUS_500)
    with pytest.raises(Unavailable) as unavailable:
        await asking().introspect(server.issue_opaque())
    assert unavailable.value.component == "jwks"
