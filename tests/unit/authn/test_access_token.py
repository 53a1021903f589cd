"""Answers that come at once and answers that are waited for."""

import pytest
from support.catalogs import request

from extauthz.authn.access_token import AccessTokens
from extauthz.authn.binding import BindingCheck
from extauthz.cache.keys import CacheKeys
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal, TokenScheme
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm

API = Api(id="a", name="A", version="v1", context="/")
KM = KeyManager(id="km", issuer="i")


def caller(**claims):
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, claims=claims)
    return Principal(key_manager=KM, facts=facts, token_key=b"k")


class AtOnce:
    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def authenticate(self, token, api, request):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Later(AtOnce):
    async def authenticate(self, token, api, request):
        return super().authenticate(token, api, request)


class Proofs:
    """Refuses every proof."""

    async def verify(self, request, token, jkt):
        raise Denied(Reason.INVALID_DPOP_PROOF)


async def principal(*authenticators, scheme=TokenScheme.BEARER):
    tokens = AccessTokens(
        authenticators,
        keys=CacheKeys([b"s" * 32]),
        binding=BindingCheck(certificate=lambda _: None, dpop=Proofs()),
    )
    return await tokens.principal(BearerToken("t", scheme), API, request())


@pytest.mark.parametrize("way", [AtOnce, Later])
async def test_the_first_that_knows_the_token_decides(way):
    other = way(caller())
    assert await principal(way(None), way(caller(n=1)), other) == caller(n=1)
    assert other.asked == 0


@pytest.mark.parametrize("way", [AtOnce, Later])
async def test_a_refusal_is_final(way):
    other = way(caller())
    with pytest.raises(Denied):
        await principal(way(Denied(Reason.TOKEN_EXPIRED)), other)
    assert other.asked == 0


@pytest.mark.parametrize("way", [AtOnce, Later])
async def test_a_token_that_nobody_knows_is_refused(way):
    with pytest.raises(Denied) as denied:
        await principal(way(None))
    assert denied.value.reason is Reason.INVALID_TOKEN


@pytest.mark.parametrize("way", [AtOnce, Later])
async def test_the_binding_of_a_token_is_checked_however_its_holder_came_to_be_known(way):
    with pytest.raises(Denied) as denied:
        await principal(way(caller(cnf={"x5t#S256": "m" * 43})))
    assert denied.value.reason is Reason.INVALID_TOKEN
    with pytest.raises(Denied) as denied:
        await principal(way(caller(cnf={"jkt": "m" * 43})), scheme=TokenScheme.DPOP)
    assert denied.value.reason is Reason.INVALID_DPOP_PROOF


async def test_tokens_and_their_names_are_not_printed():
    holder = Principal(caller().facts, b"its-name", KM, "its-token")
    assert "its-" not in repr((holder, BearerToken("its-token")))
