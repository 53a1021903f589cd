"""The time, passed in so that tests can move it."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since the epoch."""
