"""Tokens that the provider binds to a certificate (RFC 8705) or a key (RFC 9449) of its client."""

from urllib.parse import quote

import pytest
from interop.gateway import running_gateway
from interop.oidc_provider import client_tls
from support.certificate_authority import CertificateAuthority
from support.check_client import OVERWRITES
from support.dpop_client import DpopClient

pytestmark = [pytest.mark.external_service, pytest.mark.interop, OVERWRITES]

both_forms = pytest.mark.parametrize("resource", ["RS256", "opaque"])


@both_forms
async def test_a_token_bound_to_a_certificate_works_with_that_certificate_only(tmp_path, provider, gateway, resource):
    token = await provider.access_token(resource, "bound", tls=client_tls(gateway, tmp_path))
    own = quote(gateway.certificate.read_text())
    stranger = quote(CertificateAuthority(tmp_path, "other").certificate("stranger")[0].read_text())
    async with running_gateway(tmp_path / "gateway", provider) as service:
        assert await service.allows(token, certificate=own)
        assert not await service.allows(token, certificate=stranger)
        assert not await service.allows(token)


@both_forms
async def test_a_token_bound_to_a_key_works_with_new_proofs_of_that_key_only(tmp_path, provider, resource):
    client, thief = DpopClient(), DpopClient()
    proof = client.proof("", method="POST", uri=provider.url("/token"), ath=None)
    token = await provider.access_token(resource, dpop=proof)
    async with running_gateway(tmp_path / "gateway", provider, process={"dpop": {}}) as service:
        proof = client.proof(token)
        assert await service.allows(token, scheme="DPoP", headers={"dpop": proof})
        assert not await service.allows(token, scheme="DPoP", headers={"dpop": proof})
        assert not await service.allows(token, scheme="DPoP", headers={"dpop": thief.proof(token)})
        assert not await service.allows(token)
        assert await service.allows(token, scheme="DPoP", headers={"dpop": client.proof(token)})


async def test_the_bound_tokens_of_these_tests_are_bound(tmp_path, provider, gateway):
    """Otherwise the tests above would pass for tokens that nobody bound."""
    client = DpopClient()
    proof = client.proof("", method="POST", uri=provider.url("/token"), ath=None)
    bound_to_key = await provider.access_token("opaque", dpop=proof)
    bound_to_certificate = await provider.access_token("opaque", "bound", tls=client_tls(gateway, tmp_path))
    answers = [await provider.introspected(token) for token in (bound_to_key, bound_to_certificate)]
    assert answers[0]["cnf"] == {"jkt": client.jkt}
    assert set(answers[1]["cnf"]) == {"x5t#S256"}
