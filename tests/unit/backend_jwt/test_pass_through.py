"""Which backend JWT a request gets, and which values of an issuer are passed on."""

import base64
import json
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from extauthz.backend_jwt.pass_through import MAX_BYTES, passed_backend_jwt
from extauthz.backend_jwt.selection import backend_jwt
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import BackendJwtMode


def part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def jws(header: object = None, payload: str = "{}", signature: str = "c2ln") -> str:
    return f"{part(json.dumps(header or {'alg': 'RS256'}))}.{part(payload)}.{signature}"


class Signer:
    """Says about which API it was asked."""

    def __init__(self, held=None):
        self._held = held

    def held(self, access):
        return self._held

    async def assertion(self, access):
        return f"signed for {access.api.id}"


def passing(access, claims):
    key_manager = replace(access.principal.key_manager, backend_jwt=BackendJwtMode.PASS_THROUGH)
    facts = changed(access.principal.facts, claims=claims)
    return changed(access, principal=changed(access.principal, key_manager=key_manager, facts=facts))


def test_a_compact_jws_is_passed_as_it_is():
    assert passed_backend_jwt({"backendJwt": jws()}) == jws()


def test_a_token_without_one_has_none():
    assert passed_backend_jwt({"sub": "alice"}) is None


def test_the_longest_is_passed_and_a_longer_one_is_refused():
    longest = jws(signature="A" * (MAX_BYTES - len(jws(signature=""))))
    assert len(longest) == 8192
    assert passed_backend_jwt({"backendJwt": longest}) == longest

    with pytest.raises(Denied):
        passed_backend_jwt({"backendJwt": longest + "A"})


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        42,
        [jws()],
        {"jwt": jws()},
        "opaque",
        "a.b",
        jws() + ".d",
        jws(signature=""),
        ".".join([part('{"alg":"RS256"}'), "", "c2ln"]),
        jws() + "\r\nX-Injected: 1",
        jws() + "\n",
        jws() + "=",
        jws().replace(".", ".\u00e9", 1),
        jws({"alg": "none"}),
        jws({"alg": "NoNe"}),
        jws({"alg": ""}),
        jws({"alg": None}),
        jws({"typ": "JWT"}),
        jws(["alg"]),
        jws("alg"),
        ".".join([part("{"), "e30", "c2ln"]),
        ".".join([part('{"alg":"RS256","alg":"none"}'), "e30", "c2ln"]),
        ".".join([part("[" * 5000), "e30", "c2ln"]),
        "A.e30.c2ln",
        "_w.e30.c2ln",
    ],
)
def test_anything_else_is_refused_without_repeating_it(value):
    with pytest.raises(Denied) as refused:
        passed_backend_jwt({"backendJwt": value})

    assert refused.value.reason is Reason.INVALID_TOKEN
    assert not isinstance(value, str) or not value or value not in refused.value.detail


async def selected(access, signer):
    """What the upstream gets, waited for where it must be."""
    found = backend_jwt(access, signer)
    return found if found is None or isinstance(found, str) else await found


async def test_ours_is_generated_by_default(access):
    assert await selected(access, Signer()) == "signed for petstore-1"


def test_one_that_holds_is_used_again_and_not_waited_for(access):
    assert backend_jwt(access, Signer(held="made before")) == "made before"


async def test_a_claim_of_a_key_manager_that_may_not_pass_one_is_not_looked_at(access):
    facts = changed(access.principal.facts, claims={"backendJwt": jws()})
    access = changed(access, principal=changed(access.principal, facts=facts))

    assert await selected(access, Signer()) == "signed for petstore-1"


async def test_the_issuers_is_passed_and_none_is_generated(access):
    assert await selected(passing(access, {"backendJwt": jws()}), Signer()) == jws()
    assert await selected(passing(access, {}), Signer()) is None


async def test_a_malformed_one_of_the_issuer_is_refused_and_not_replaced(access):
    with pytest.raises(Denied):
        await selected(passing(access, {"backendJwt": "odd"}), Signer())


@pytest.mark.parametrize("claims", [{}, {"backendJwt": jws()}, {"backendJwt": "odd"}])
async def test_an_api_that_wants_none_gets_none(access, claims):
    quiet = changed(access, api=replace(access.api, backend_jwt=False))

    assert await selected(quiet, Signer()) is None
    assert await selected(passing(quiet, claims), Signer()) is None


async def test_without_a_signer_only_the_issuers_is_there(access):
    assert await selected(access, None) is None
    assert await selected(passing(access, {"backendJwt": jws()}), None) == jws()
