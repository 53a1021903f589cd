"""The values of a label: a bounded set, since each one is a time series for as long as the process lives."""

OTHER = "other"


class LabelValues:
    """The first so many values keep their names; all later ones are `other`."""

    __slots__ = ("_known", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known = {""}
        """The empty value says that there is none; it takes no room."""

    def bounded(self, value: str) -> str:
        """The value, or `other`."""
        if value in self._known:
            return value
        if len(self._known) > self._limit:
            return OTHER
        self._known.add(value)
        return value
