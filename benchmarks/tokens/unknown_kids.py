"""Forged tokens with random `kid`s: how often the issuer's keys are fetched, and whether good tokens pass meanwhile."""

import asyncio
import secrets

from support.authorization_server import AuthorizationServer
from support.deciding import Deciding, deciding

from benchmarks.figure import Figure
from benchmarks.requests import GOOD
from extauthz.model.check import Allow
from extauthz.oauth2.jwks import DEFAULT_TIMES

_FORGED = 1_000
_GOOD_EVERY = 10


async def figures() -> list[Figure]:
    """Both within one cooldown: the first forged token after the last one's end may cost a fetch, the others none."""
    async with AuthorizationServer() as issuer, deciding(issuer) as world:
        good = issuer.issue_jwt(**GOOD)
        if not await _allows(world, good):
            raise RuntimeError("the good token is refused")
        forged = [issuer.issue_jwt(**GOOD, kid=secrets.token_hex(8)) for _ in range(_FORGED)]
        fetches, refused, let_in = await _flood(world, issuer, forged)
    what = f"{_FORGED} JWTs with random kids in one cooldown"
    return [
        Figure(name=f"{what}: JWKS fetches", value=fetches, unit="fetches", goal=1),
        Figure(name=f"{what}: good tokens refused", value=refused, unit="checks", goal=0),
        Figure(name=f"{what}: forged tokens let in", value=let_in, unit="checks", goal=0),
    ]


async def _flood(world: Deciding, issuer: AuthorizationServer, forged: list[str]) -> tuple[int, int, int]:
    world.clock.advance(DEFAULT_TIMES.cooldown_seconds + 1)
    before = issuer.jwks.calls
    # Good tokens of their own: a known one would not ask for a key at all.
    good = [issuer.issue_jwt(**GOOD) for _ in range(len(forged) // _GOOD_EVERY)]
    forged_answers, good_answers = await asyncio.gather(_all(world, forged), _all(world, good))
    return issuer.jwks.calls - before, good_answers.count(False), forged_answers.count(True)


async def _all(world: Deciding, tokens: list[str]) -> list[bool]:
    return await asyncio.gather(*(_allows(world, token) for token in tokens))


async def _allows(world: Deciding, token: str) -> bool:
    return isinstance(await world.check(token), Allow)
