"""What becomes of each decision: it is counted, then recorded."""

from typing import Protocol

from extauthz.model.check import Decision, RequestContext


class _Told(Protocol):
    def __call__(self, request: RequestContext | None, decision: Decision, seconds: float, /) -> None: ...


class Decisions:
    """Called once for each Check: 2 us, unless the decision is written to the log."""

    __slots__ = ("_count", "_record")

    def __init__(self, count: _Told, record: _Told) -> None:
        self._count = count
        self._record = record

    def __call__(self, request: RequestContext | None, decision: Decision, seconds: float) -> None:
        """One decision, taken within `seconds`; `request` is None where none could be read."""
        self._count(request, decision, seconds)
        self._record(request, decision, seconds)
