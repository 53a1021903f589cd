"""A bounded table; the least recently used leave first."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by the name of what they are about, in the order of their last use. A limit of 0 holds nothing.

    Raises:
        ValueError: a limit below 0.
    """

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError(f"a cache cannot hold {limit} entries")
        self._limit = limit
        self._held: OrderedDict[bytes, T] = OrderedDict()

    def get(self, key: bytes) -> T | None:
        """The value under a key, which is thereby used."""
        value = self._held.get(key)
        if value is not None:
            self._held.move_to_end(key)
        return value

    def put(self, key: bytes, value: T) -> None:
        """Hold a value, in place of any other under this key."""
        self._held[key] = value
        self._held.move_to_end(key)
        while len(self._held) > self._limit:
            self._held.popitem(last=False)

    def remove(self, key: bytes) -> None:
        """Hold nothing under a key."""
        self._held.pop(key, None)

    def __len__(self) -> int:
        return len(self._held)
