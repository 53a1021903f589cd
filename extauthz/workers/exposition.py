"""The metrics of all workers on one page."""

import re
from collections.abc import Mapping

_FAMILY = re.compile(r"^(?=# HELP )", re.MULTILINE)
_NAME = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{?)", re.MULTILINE)
_END = "# EOF\n"
"""Of OpenMetrics; the older text form has none."""
_NOT_READY = "# HELP extauthz_ready 1 if requests may be sent here.\n# TYPE extauthz_ready gauge\nextauthz_ready 0.0\n"


def one_exposition(pages: Mapping[int, str | None]) -> str:
    """Pages by the number of their worker, all in one form; None: it gave none, so it is not ready.

    Each sample has a label `worker` more. A sum would fall whenever a worker is started again, and Prometheus would
    count all that the others counted once more.
    """
    families: dict[str, tuple[str, list[str]]] = {}
    for worker, page in pages.items():
        for family in _FAMILY.split(_NOT_READY if page is None else page.removesuffix(_END)):
            if family:
                said, samples = _parts(family)
                families.setdefault(said.split(" ", 3)[2], (said, []))[1].append(_labelled(samples, worker))
    end = _END if any(page is not None and page.endswith(_END) for page in pages.values()) else ""
    return "".join(said + "".join(samples) for said, samples in families.values()) + end


def _parts(family: str) -> tuple[str, str]:
    """What is said about a metric, and its samples."""
    lines = family.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:first]), "".join(lines[first:])


def _labelled(samples: str, worker: int) -> str:
    def named(found: re.Match[str]) -> str:
        name, brace = found.groups()
        return f'{name}{{worker="{worker}"' + ("," if brace else "}")

    return _NAME.sub(named, samples)
