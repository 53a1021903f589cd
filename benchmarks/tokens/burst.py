"""A burst of one new opaque token over several replicas: how often its issuer is asked."""

import asyncio
import tempfile
from pathlib import Path

from support.authorization_server import AuthorizationServer
from support.valkey import ValkeyServer

from benchmarks.figure import Figure
from benchmarks.replicas import running_replicas
from benchmarks.requests import GOOD, check_request, is_allowed

_CHECKS = 1_000


async def figures() -> list[Figure]:
    """All Checks are sent at once, in turn to each of three replicas."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with (
            AuthorizationServer() as issuer,
            ValkeyServer() as valkey,
            running_replicas(Path(folder), issuer, valkey.url) as replicas,
        ):
            # Connections first: the burst is of Checks.
            await asyncio.gather(*(replica.check(check_request(issuer.issue_opaque())) for replica in replicas))
            before, request = issuer.introspection.calls, check_request(issuer.issue_opaque(**GOOD))
            answers = await asyncio.gather(
                *(replicas[number % len(replicas)].check(request) for number in range(_CHECKS))
            )
            calls, refused = issuer.introspection.calls - before, sum(not is_allowed(answer) for answer in answers)
    what = f"{_CHECKS} Checks at once of a new opaque token, 3 replicas"
    return [
        Figure(name=f"{what}: introspection calls", value=calls, unit="calls", floor=1, goal=1),
        Figure(name=f"{what}: refused", value=refused, unit="checks", goal=0),
    ]
