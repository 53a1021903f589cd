"""The trace that a request belongs to, by its `traceparent` header (W3C Trace Context, level 1)."""

import re
from typing import NamedTuple

# §3.2.2: version, trace-id, parent-id, flags, in lower case. A later version may have more behind another hyphen.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_VERSION = "00"
_SAMPLED = 1


class TraceContext(NamedTuple):
    """A span of somebody else's."""

    trace_id: str
    """32 hexadecimal digits."""
    parent_id: str
    """16 hexadecimal digits."""
    sampled: bool
    """Whether it may have been recorded (§3.2.2.5.1)."""


def trace_context(traceparent: str) -> TraceContext | None:
    """What the header says; None: it is not there, or not what it must be."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == _VERSION and found[5] is not None):
        return None
    return TraceContext(found[2], found[3], bool(int(found[4], 16) & _SAMPLED))


def trace_id(traceparent: str) -> str:
    """The trace id, 32 hexadecimal digits; empty: the header is not there, or not what it must be."""
    found = trace_context(traceparent)
    return "" if found is None else found.trace_id
