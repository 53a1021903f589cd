"""`caching`: what a Microgateway remembers about tokens."""

from math import ceil
from typing import Any

from extauthz.microgateway.report import Report
from extauthz.microgateway.source import Table
from extauthz.microgateway.yaml_text import Said

_MAX_SECONDS = 86_400
_MAX_ENTRIES = 10_000_000


def caching(table: Table, report: Report) -> dict[str, Any] | None:
    """Both of our caches of good tokens; None if the file says nothing about them."""
    enabled, life, entries = table.flag("enabled"), _life(table, report), _entries(table, report)
    if "tokenCacheEvictionFactor" in table:
        table.number("tokenCacheEvictionFactor")
        report.note(table.path("tokenCacheEvictionFactor"), "not needed: the least recently used leaves first")
    if enabled is None and life is None and entries is None:
        return None
    cache = {
        "enabled": Said(enabled, table.path("enabled")),
        "entries": Said(entries, table.path("tokenCacheCapacity")),
        "ttl_seconds": Said(life, table.path("tokenCacheExpiryTime")),
    }
    return {"jwt": cache, "introspection": dict(cache)}


def _life(table: Table, report: Report) -> int | None:
    given = table.number("tokenCacheExpiryTime")
    if given is None:
        return None
    seconds = min(max(ceil(given / 1000), 1), _MAX_SECONDS)
    text = (
        f"milliseconds in 3.0: {seconds} s are written. 3.2 takes the same number for seconds; its default is ten days "
        "then, which nobody meant"
    )
    report.note(table.path("tokenCacheExpiryTime"), text)
    return seconds


def _entries(table: Table, report: Report) -> int | None:
    given = table.number("tokenCacheCapacity")
    if given is None:
        return None
    report.note(table.path("tokenCacheCapacity"), "tokens, in each of both caches (WSO2's own comment says MB)")
    return min(max(int(given), 1), _MAX_ENTRIES)
