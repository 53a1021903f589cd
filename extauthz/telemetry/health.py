"""What the process depends on, and whether it may be sent requests."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

ESSENTIAL = frozenset({"catalog", "revocations"})
"""Without these no Check can be answered but with a refusal."""
DISPENSABLE = frozenset({"cache", "catalog_source", "revocation_channel"})
"""Without the cache answers are slower; the last good catalog goes on without its source; without the channel what was
revoked before its failure stays revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """The state of one dependency."""

    ok: bool
    essential: bool
    """Whether the process is not ready without it."""
    detail: str = ""
    """For the operator; never holds a token or a secret."""


Listener = Callable[["Health"], None]
"""Called after each change, in the caller's own stack: it must not block and must not raise."""


class Health:
    """The components of this process by name; each one counts as failed until it is reported.

    Lives in one event loop and is not safe to share between threads.
    """

    def __init__(self, *, essential: Iterable[str] = ESSENTIAL, dispensable: Iterable[str] = DISPENSABLE) -> None:
        self._components = {name: Component(ok=False, essential=False, detail="not started") for name in dispensable}
        self._components |= {name: Component(ok=False, essential=True, detail="not started") for name in essential}
        self._lasting: set[str] = set()
        self._draining = False
        self._listeners: list[Listener] = []

    def __repr__(self) -> str:
        failed = sorted(name for name, component in self._components.items() if not component.ok)
        return f"<Health ready={self.ready} draining={self._draining} failed={failed}>"

    @property
    def components(self) -> Mapping[str, Component]:
        """A live, read-only view."""
        return MappingProxyType(self._components)

    @property
    def draining(self) -> bool:
        """Whether the process is on its way out."""
        return self._draining

    @property
    def ready(self) -> bool:
        """Whether requests may be sent here: every essential component is well, and the process is not draining."""
        return not self._draining and all(
            component.ok for component in self._components.values() if component.essential
        )

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` after each change from now on."""
        self._listeners.append(listener)

    def report(self, name: str, *, ok: bool, detail: str = "") -> None:
        """Note how a component is.

        Raises:
            KeyError: no component has this name.
        """
        before = self._components[name]
        after = replace(before, ok=ok, detail=detail)
        if after != before:
            self._components[name] = after
            self._notify()

    def add(self, name: str, *, essential: bool = False) -> None:
        """Have one more component, which stays whatever the others `become`."""
        self._lasting.add(name)
        self._components[name] = Component(ok=False, essential=essential, detail="not started")

    def become(self, components: Mapping[str, Component]) -> None:
        """Have these components in place of all others but the added ones, in one step."""
        after = dict(components) | {name: self._components[name] for name in self._lasting}
        if after != self._components:
            self._components = after
            self._notify()

    def begin_draining(self) -> None:
        """Be not ready from now on, for good."""
        if not self._draining:
            self._draining = True
            self._notify()

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            listener(self)
