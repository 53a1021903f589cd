"""Names of request headers: which of them may be ours, and which an upstream cannot tell apart."""

from itertools import product

MAX_DASHES = 5
"""Of a name that is removed in every spelling: there are 32."""
_HOP_BY_HOP = frozenset(  # RFC 9110 §7.6.1, and what is Envoy's to say about the message
    {"host", "connection", "content-length", "keep-alive", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
_OF_ENVOY = "x-envoy-"


def spellings(name: str) -> frozenset[str]:
    """A header's name with each `-` and `_` written either way: CGI and its heirs cannot tell them apart.

    Raises:
        ValueError: more spellings than an answer should carry.
    """
    choices = ["-_" if character in "-_" else character for character in name]
    if choices.count("-_") > MAX_DASHES:
        raise ValueError(f"too many dashes in {name}")
    return frozenset("".join(spelling) for spelling in product(*choices))


def ensure_settable(name: str) -> None:
    """Whether a header, its name in lower case, may be set by us at all.

    Raises:
        ValueError: it belongs to the connection, or to Envoy.
    """
    if name in _HOP_BY_HOP or name.startswith(_OF_ENVOY):
        raise ValueError(f"nothing of ours can travel in {name}")
