"""Why a command was not carried out."""

from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import Address


class Busy(Unavailable):
    """Every connection was in use for as long as there was time: load, and no outage. Nothing was done."""


class NotReached(Unavailable):
    """There was no connection, so nothing was done."""


class Refused(Unavailable):
    """The server answered with an error, and did nothing."""

    def __init__(self, component: str, word: str, command: str) -> None:
        super().__init__(component, f"redis refuses {command} ({word})")
        self.word = word
        """Its first word, e.g. NOPERM, READONLY, WRONGTYPE; the rest may quote what was sent."""


class Redirected(Refused):
    """Another node of the cluster has the key."""

    def __init__(self, component: str, command: str, *, address: Address, asking: bool) -> None:
        super().__init__(component, "ASK" if asking else "MOVED", command)
        self.address = address
        self.asking = asking
        """For this once, while the slot is on its way there."""
