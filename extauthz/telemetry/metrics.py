"""What the process counts and times. Rooms that are measured get what they need of it by a Protocol of their own."""

from extauthz.model.check import Decision, Deny, RequestContext
from extauthz.telemetry.event_loop import LAG_SECONDS
from extauthz.telemetry.histogram import Histogram
from extauthz.telemetry.label_values import LabelValues

APIS = 100
KEY_MANAGERS = 20
_WORDS = 30
"""Values of a label that our own code chooses; a bound all the same."""

CheckLabels = tuple[str, str, str]
"""(reason, API, key manager); the reason is empty if the request was allowed."""


class Metrics:
    """For one event loop. Nothing here waits, raises or takes a lock.

    Methods that count are called for each Check: a dictionary and plain integers, since a counter with labels of
    prometheus-client costs 2 us, and all of `decision` one.
    """

    def __init__(self, *, apis: int = APIS, key_managers: int = KEY_MANAGERS) -> None:
        """At most so many APIs and key managers by name; those that come later are `other`."""
        self._apis, self._key_managers = LabelValues(apis), LabelValues(key_managers)
        self._words = LabelValues(_WORDS)
        self.checks: dict[CheckLabels, int] = {}
        self.shadowed: dict[CheckLabels, int] = {}
        """Refusals that were not enforced; the reason is never empty."""
        self.allowed, self.denied = Histogram(), Histogram()
        self.stages: dict[str, Histogram] = {}
        self.outgoing: dict[tuple[str, str, str], int] = {}
        self.outgoing_seconds: dict[str, Histogram] = {}
        self.loop_lag = Histogram(LAG_SECONDS)

    def decision(self, _request: RequestContext | None, decision: Decision, seconds: float) -> None:
        """A Check was answered within `seconds`."""
        if isinstance(decision, Deny):
            if decision.shadow:
                self._shadowed(decision, seconds)
                return
            self.denied.observe(seconds)
            labels = (decision.reason.value, decision.api.id if decision.api else "", decision.key_manager)
        else:
            self.allowed.observe(seconds)
            access = decision.access
            key_manager = access.principal.key_manager if access else None
            labels = ("", decision.match.api.id, key_manager.id if key_manager else "")
        checks = self.checks
        if labels not in checks:
            labels = self._bounded(labels)
            checks.setdefault(labels, 0)
        checks[labels] += 1

    def _shadowed(self, deny: Deny, seconds: float) -> None:
        """What Envoy was told counts as a Check: the request was allowed."""
        self.allowed.observe(seconds)
        labels = self._bounded((deny.reason.value, deny.api.id if deny.api else "", deny.key_manager))
        allowed = ("", *labels[1:])
        self.checks[allowed] = self.checks.get(allowed, 0) + 1
        self.shadowed[labels] = self.shadowed.get(labels, 0) + 1

    def calls(self, kind: str, key_manager: str, outcome: str, seconds: float) -> None:
        """A key manager was called; `kind` says for what, `outcome` is `ok` or says how it failed."""
        bounded = self._words.bounded
        kind = bounded(kind)
        labels = (kind, self._key_managers.bounded(key_manager), bounded(outcome))
        self.outgoing[labels] = self.outgoing.get(labels, 0) + 1
        self.outgoing_seconds.setdefault(kind, Histogram()).observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """A stage of a Check is over."""
        histogram = self.stages.get(name)
        if histogram is None:
            histogram = self.stages.setdefault(self._words.bounded(name), Histogram())
        histogram.observe(seconds)

    def _bounded(self, labels: CheckLabels) -> CheckLabels:
        reason, api, key_manager = labels
        return reason, self._apis.bounded(api), self._key_managers.bounded(key_manager)
