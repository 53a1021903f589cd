"""Whether an API answers at all."""

from typing import assert_never

from extauthz.model.api import Api, ApiState
from extauthz.model.errors import Denied, Reason


def ensure_published(api: Api) -> None:
    """The API is not blocked; asked before anything about the caller, so that open resources are blocked as well.

    Raises:
        Denied: api_blocked.
    """
    match api.state:
        case ApiState.PUBLISHED:
            return
        case ApiState.BLOCKED:
            raise Denied(Reason.API_BLOCKED, f"{api.id} is blocked")
        case _:
            assert_never(api.state)
