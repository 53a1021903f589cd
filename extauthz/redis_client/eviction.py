"""What a server does when its memory is full."""

from typing import Any, Protocol

from extauthz.redis_client.server import Refused


class Server(Protocol):
    """Whom to ask (see `RedisServer`)."""

    async def execute(self, *command: bytes | int, timeout_seconds: float | None = None) -> Any:
        """The answer.

        Raises:
            Refused: it says no.
            Unavailable: it does not answer.
        """
        ...


async def eviction_policy(server: Server) -> str | None:
    """Its maxmemory-policy; None: it does not tell. Hosted servers often forbid CONFIG and tell the same in INFO.

    Raises:
        Unavailable: it does not answer.
    """
    for command in ((b"CONFIG", b"GET", b"maxmemory-policy"), (b"INFO", b"memory")):
        try:
            answer = await server.execute(*command)
        except Refused:
            continue
        text = b" ".join(answer) if isinstance(answer, list) else answer
        if isinstance(text, bytes) and (policy := _policy(text.decode("ascii", "replace"))):
            return policy
    return None


def evicts(policy: str | None) -> bool:
    """Whether a server with this policy throws away what must be kept (our keys have no time to live)."""
    return policy is not None and policy.startswith("allkeys-")


def _policy(text: str) -> str | None:
    """From CONFIG's pair of words, or a line of INFO."""
    for line in text.splitlines():
        name, _, value = line.replace(" ", ":").partition(":")
        if name.replace("-", "_") == "maxmemory_policy":
            return value.strip()
    return None
