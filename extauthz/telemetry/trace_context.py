"""The trace that a request belongs to, by its `traceparent` header (W3C Trace Context, level 1)."""

import re

# §3.2.2: version, trace-id, parent-id, flags, in lower case. A later version may have more behind another hyphen.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_VERSION = "00"


def trace_id(traceparent: str) -> str:
    """The trace id, 32 hexadecimal digits; empty: the header is not there, or not what it must be."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == _VERSION and found[3] is not None):
        return ""
    return found[2]
