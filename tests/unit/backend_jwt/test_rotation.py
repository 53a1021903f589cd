"""A new key takes over without an upstream that must refuse anything."""

import jwt
import pytest
from jwt.types import Options

from extauthz.backend_jwt.claims import BackendJwtProfile
from extauthz.backend_jwt.jwks import jwk_set
from extauthz.backend_jwt.signer import BackendJwtSigner
from extauthz.backend_jwt.signing_key import SigningKey


class Gateway:
    """Signs with the first of its keys, and publishes all."""

    def __init__(self, *keys, clock):
        self.published = jwt.PyJWKSet.from_dict(dict(jwk_set(keys)))
        self._signer = BackendJwtSigner(key=keys[0], profile=BackendJwtProfile(), clock=clock, cache_entries=10)

    async def signed(self, access):
        return await self._signer.assertion(access)


def accepts(published, assertion):
    """As an upstream does that keeps a set for a while."""
    kid = jwt.get_unverified_header(assertion)["kid"]
    key = next((key for key in published.keys if key.key_id == kid), None)
    if key is None:
        return False
    # The tests' clock is not the machine's.
    options: Options = {"verify_exp": False, "verify_iat": False}
    return bool(jwt.decode(assertion, key, algorithms=[key.algorithm_name], options=options))


@pytest.fixture
def keys(rsa_pem, ec_pem):
    return SigningKey(rsa_pem, "RS256"), SigningKey(ec_pem, "ES256")


async def test_every_step_verifies_with_the_set_before_it_and_after_it(keys, access, clock):
    last, coming = keys
    orders = [(last,), (last, coming), (coming, last), (coming,)]
    alone, announced, swapped, done = (Gateway(*order, clock=clock) for order in orders)
    steps = [(alone, announced), (announced, swapped), (swapped, done)]
    signed = {gateway: await gateway.signed(access) for gateway in (alone, announced, swapped, done)}

    assert all(accepts(after.published, signed[before]) for before, after in steps[:2])
    assert all(accepts(before.published, signed[after]) for before, after in steps)
    # The last step comes when every JWT of the old key has ended: until then this must not be done.
    assert not accepts(done.published, signed[announced])


async def test_a_swap_without_announcement_has_a_gap(keys, access, clock):
    last, coming = keys
    alone, swapped = Gateway(last, clock=clock), Gateway(coming, last, clock=clock)

    assert not accepts(alone.published, await swapped.signed(access))
