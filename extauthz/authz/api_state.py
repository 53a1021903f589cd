"""Whether an API answers at all."""

from typing import Final, assert_never

from extauthz.model.api import Api, ApiState
from extauthz.model.errors import Denied, Reason

# Bound once: each look at a member of an enum is a call, which takes longer than the question.
_PUBLISHED: Final = ApiState.PUBLISHED
_BLOCKED: Final = ApiState.BLOCKED


def ensure_published(api: Api) -> None:
    """The API is not blocked; asked before anything about the caller, so that open resources are blocked as well.

    Raises:
        Denied: api_blocked.
    """
    state = api.state
    if state is _PUBLISHED:
        return
    if state is _BLOCKED:
        raise Denied(Reason.API_BLOCKED, f"{api.id} is blocked")
    assert_never(state)
