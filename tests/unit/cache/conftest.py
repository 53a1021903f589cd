"""What the tests of the cache share: a clock that they move, and a Valkey server of their own."""

import pytest


class MovedClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return MovedClock()
