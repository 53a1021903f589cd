"""Values that show themselves without what must not be seen."""

from typing import Any, ClassVar

from msgspec import Struct


class SecretFields(Struct, frozen=True):
    """A value that says which of its fields are shown nowhere: not in a log, a traceback or a test's report."""

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        """All fields but the hidden ones."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which asks a Struct here, and not for its `repr`."""
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in self.hidden]
