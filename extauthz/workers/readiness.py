"""Whether all workers serve, as one document."""

from collections.abc import Mapping
from typing import Any


def all_ready(readyz: Mapping[int, Any], *, listening: frozenset[int], draining: bool) -> dict[str, Any]:
    """What `/readyz` says, from what each worker says there, by its number; None: it gives no answer.

    Each worker is a component, and essential; beneath `workers` they have their own.
    """
    components = {
        f"worker {number}": _component(said, listening=number in listening) for number, said in readyz.items()
    }
    return {
        "ready": not draining and all(component["ok"] for component in components.values()),
        "draining": draining,
        "components": components,
        "workers": {str(number): said for number, said in readyz.items()},
    }


def _component(said: Any, *, listening: bool) -> dict[str, Any]:
    if said is None:
        return {"ok": False, "essential": True, "detail": "no answer" if listening else "does not run yet"}
    failed = [name for name, component in said["components"].items() if not component["ok"]]
    ready = said["ready"] and listening
    detail = "ready" if ready else "not ready"
    if failed:
        detail += f", failed: {', '.join(failed)}"
    return {"ok": ready, "essential": True, "detail": detail}
