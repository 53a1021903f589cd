"""Whether a file is still the one that was read, for the price of a stat call."""

from pathlib import Path
from typing import Literal

FileSignature = tuple[int, int, int] | Literal["missing"]
"""Differs, for all practical purposes, from that of the same file after a change."""


def file_signature(path: Path) -> FileSignature:
    """The signature now; to be taken before the file is read."""
    try:
        # Follows links: a mounted ConfigMap or Secret changes by pointing a link elsewhere.
        found = path.stat()
    except OSError:
        return "missing"
    return found.st_mtime_ns, found.st_size, found.st_ino
