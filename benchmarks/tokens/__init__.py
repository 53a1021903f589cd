"""Tokens: how fast a revocation holds, what a known token costs, and what bursts and forgeries cost the issuer."""

from benchmarks.figure import Figure
from benchmarks.tokens import burst, revocation_lag, unknown_kids, warm_check


async def figures() -> list[Figure]:
    """All of the section, one after another: each needs the machine for itself."""
    return [figure for part in (revocation_lag, warm_check, burst, unknown_kids) for figure in await part.figures()]
