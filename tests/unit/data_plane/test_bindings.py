"""The sections `client_certificate` and `dpop` of the settings, and what they make."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.catalogs import request
from support.dpop_client import DpopClient

from extauthz.data_plane.bindings import REPLAY_COMPONENT, binding_check, health_of
from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.secrets import Secrets
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.model.check import BearerToken, Principal, TokenScheme
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.settings.process import Settings

NOW = 1_700_000_000.0
TOKEN = "an.access.token"
CLIENT = DpopClient(clock=lambda: NOW)
SECRETS = Secrets({"nonces": b"n" * 32, "short": b"n" * 31}, {})
NAMES = {"nonces": {"env": "NONCES"}, "short": {"env": "SHORT"}}


def settings(**sections: Any) -> Settings:
    document = {"catalog": {"file": "catalog.yaml"}, "secrets": NAMES} | sections
    return loads(yaml.safe_dump(document), Settings, "extauthz.yaml")


def built(**sections: Any):
    chosen = settings(**sections)
    lasting = Lasting.of(chosen, lambda: NOW)
    return binding_check(chosen, SECRETS, Path(), lasting=lasting, health=health_of(chosen), stack=AsyncExitStack())


async def present(check, cnf, proof="", scheme=TokenScheme.DPOP, **of_request):
    """None, or the reason for a refusal."""
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, claims={"cnf": cnf})
    principal = Principal(key_manager=KeyManager(id="km", issuer="i"), facts=facts, token_key=b"k")
    try:
        asked = request(headers={"dpop": proof} | of_request.pop("headers", {}), **of_request)
        verified = check.verify(asked, BearerToken(value=TOKEN, scheme=scheme), principal)
        if verified is not None:
            await verified
    except Denied as denied:
        return denied.reason
    return None


async def test_without_the_section_tokens_with_a_key_are_refused():
    assert await present(built(), {"jkt": CLIENT.jkt}, CLIENT.proof(TOKEN)) is Reason.INVALID_TOKEN


@pytest.mark.parametrize(
    ("dpop", "proof", "reason"),
    [
        ({}, {}, None),
        ({}, {"iat": NOW - 61}, Reason.INVALID_DPOP_PROOF),
        ({"max_age_seconds": 90.0}, {"iat": NOW - 61}, None),
        ({}, {"iat": NOW + 6}, Reason.INVALID_DPOP_PROOF),
        ({"future_skew_seconds": 10.0}, {"iat": NOW + 6}, None),
        ({"algorithms": ["EdDSA"]}, {}, Reason.INVALID_DPOP_PROOF),
        ({"scheme": "http"}, {}, Reason.INVALID_DPOP_PROOF),
        ({"scheme": "http"}, {"uri": "http://api.example.com/petstore/v1/pets"}, None),
        ({"nonce_secret": ["nonces"]}, {}, Reason.USE_DPOP_NONCE),
    ],
)
async def test_every_setting_of_proofs_is_used(dpop, proof, reason):
    assert await present(built(dpop=dpop), {"jkt": CLIENT.jkt}, CLIENT.proof(TOKEN, **proof)) is reason


async def test_the_memory_of_one_process_is_as_large_as_it_is_set():
    check = built(dpop={"replay_entries": 1})
    assert await present(check, {"jkt": CLIENT.jkt}, CLIENT.proof(TOKEN)) is None
    with pytest.raises(Unavailable):
        await present(check, {"jkt": CLIENT.jkt}, CLIENT.proof(TOKEN))


@pytest.mark.parametrize(("source", "reason"), [("peer", Reason.INVALID_TOKEN), ("x-forwarded-client-cert", None)])
async def test_the_certificate_is_taken_from_where_it_is_set(source, reason):
    check = built(client_certificate={"source": source})
    headers = {"x-forwarded-client-cert": f"Hash={bytes(32).hex()}"}
    cnf = {"x5t#S256": "A" * 43}
    assert await present(check, cnf, scheme=TokenScheme.BEARER, headers=headers) is reason


def test_the_memory_of_proofs_is_a_component_only_where_there_is_one():
    assert REPLAY_COMPONENT not in health_of(settings()).components
    assert REPLAY_COMPONENT in health_of(settings(dpop={})).components


def test_a_secret_for_nonces_that_can_be_guessed_is_a_mistake_in_the_settings():
    with pytest.raises(DocumentError, match="32 bytes"):
        built(dpop={"nonce_secret": ["short"]})


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"dpop": {"algorithms": ["HS256"]}}, "`HS256` cannot be allowed"),
        ({"dpop": {"algorithms": []}}, "algorithms"),
        ({"dpop": {"max_age_seconds": 0}}, "max_age_seconds"),
        ({"dpop": {"scheme": "ftp"}}, "scheme"),
        ({"dpop": {"nonce_secret": ["other"]}}, "`other` is not one of `secrets:`"),
        ({"dpop": {"window": 5}}, "is not known here"),
        ({"client_certificate": {"source": "header"}}, "source"),
    ],
)
def test_a_mistake_in_the_settings_is_told(section, words):
    with pytest.raises(DocumentError, match=words):
        settings(**section)
