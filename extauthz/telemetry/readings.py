"""Values that somebody else holds, read when metrics are asked for."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from extauthz.telemetry.health import Component, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A gauge, or a counter that somebody else counts."""

    name: str
    """As Prometheus shows it, so that of a counter ends with `_total`."""
    documentation: str
    labels: tuple[str, ...] = ()
    read: Callable[[], Mapping[tuple[str, ...], float]]
    """Values by those of the labels, in their order; must not take long."""
    rises: bool = False
    """A counter: it never falls."""


def single(name: str, documentation: str, read: Callable[[], float | None], *, rises: bool = False) -> Reading:
    """A value without labels; None: there is none now."""

    def values() -> Mapping[tuple[str, ...], float]:
        value = read()
        return {} if value is None else {(): value}

    return Reading(name=name, documentation=documentation, read=values, rises=rises)


class HealthReadings:
    """What health knows, and how often each component failed."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._failed: Counter[str] = Counter()
        self._well = self._well_now()
        health.subscribe(self._changed)

    def readings(self) -> list[Reading]:
        """Of each component, and of the process as a whole."""
        return [
            single("extauthz_ready", "1 if requests may be sent here.", lambda: float(self._health.ready)),
            Reading(
                name="extauthz_component_up",
                documentation="1 if the component is well; essential ones are needed for readiness.",
                labels=("component", "essential"),
                read=lambda: {
                    (name, str(component.essential).lower()): float(component.ok)
                    for name, component in self._components().items()
                },
            ),
            Reading(
                name="extauthz_component_failures_total",
                documentation="Times that the component failed after it had been well.",
                labels=("component",),
                read=lambda: {(name,): self._failed[name] for name in self._components()},
                rises=True,
            ),
        ]

    def _components(self) -> Mapping[str, Component]:
        return self._health.components

    def _well_now(self) -> frozenset[str]:
        return frozenset(name for name, component in self._health.components.items() if component.ok)

    def _changed(self, _health: Health) -> None:
        before, self._well = self._well, self._well_now()
        self._failed.update(before - self._well)
