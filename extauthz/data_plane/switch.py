"""The one place that says which data plane serves; servers and pages see it through this."""

import asyncio

import structlog
from starlette.types import Receive, Scope, Send

from extauthz.data_plane.running import RunningPlane
from extauthz.envoy.servicer import AuthorizationServicer
from extauthz.telemetry.health import Health

SETTINGS_COMPONENT = "settings"
"""Well, unless changed settings could not be used."""

_log = structlog.get_logger(__name__)


class Switch:
    """Serves with one data plane, then with another, from one turn of the event loop to the next.

    It is an ASGI application: the pages for operators of whichever data plane serves.
    """

    def __init__(self, first: RunningPlane, health: Health) -> None:
        """`health` is that of the process."""
        self.now = first
        """What serves."""
        self.servicer: AuthorizationServicer = first.plane.servicer
        """Answers Checks with what serves when they come."""
        self._health = health
        health.add(SETTINGS_COMPONENT)
        health.report(SETTINGS_COMPONENT, ok=True, detail="as at the start")
        self._finishing: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._serve_with(first)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer of the data plane that serves when the request comes."""
        now = self.now
        with now.requests:
            await now.plane.operations(scope, receive, send)

    def to(self, following: RunningPlane, *, detail: str) -> None:
        """Serves with another one from now on. The former one is closed once nothing is in flight there."""
        former = self.now
        self._serve_with(following)
        self._health.report(SETTINGS_COMPONENT, ok=True, detail=detail)
        finishing = asyncio.create_task(_finish(former))
        self._finishing.add(finishing)
        finishing.add_done_callback(self._finishing.discard)

    def keep(self, detail: str) -> None:
        """Says that changed settings cannot be used."""
        self._health.report(SETTINGS_COMPONENT, ok=False, detail=detail)

    async def ended(self) -> None:
        """Waits until the data plane that serves follows nothing any more, which it must; raises what it raised."""
        await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Closes whatever serves, or did."""
        if self._ended.done():
            self._ended.exception()  # else asyncio says that nobody asked
        await self.now.close()
        await asyncio.gather(*self._finishing)

    def _serve_with(self, plane: RunningPlane) -> None:
        # Nothing is awaited here: no Check, page or health sees a part of it.
        self.now = plane
        self.servicer.answering = plane.answering
        plane.on_end(lambda task: self._tell(plane, task))
        plane.plane.health.subscribe(self._follow)
        self._follow(plane.plane.health)

    def _follow(self, health: Health) -> None:
        if health is self.now.plane.health:
            self._health.become(health.components)

    def _tell(self, plane: RunningPlane, task: asyncio.Task[None]) -> None:
        if plane is not self.now or self._ended.done():
            return
        problem = task.exception()
        if problem is not None:
            self._ended.set_exception(problem)
        else:
            self._ended.set_result(None)


async def _finish(former: RunningPlane) -> None:
    try:
        await former.finish()
    except Exception as error:  # noqa: BLE001 - what serves must not end with what does not
        _log.error("former_settings_not_closed", error=type(error).__name__)
