"""Finds extensions in installed packages, by entry point, and makes them."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from inspect import iscoroutinefunction
from typing import Any

from extauthz.extensions.kind import Kind


def made(kind: Kind, name: str, options: Mapping[str, Any]) -> Any:
    """The extension that an entry point's factory makes.

    Raises:
        ValueError: there is no such entry point or more than one, or it makes no extension of this kind.
    """
    factory = _factory(_entry_point(kind, name))
    try:
        extension = factory(dict(options))
    except ValueError as error:
        raise ValueError(f"`{name}` refuses its options: {error}") from error
    except (Exception, SystemExit) as error:
        # The type only: the message may quote an option.
        raise ValueError(f"`{name}` failed at start: {type(error).__name__}") from error
    if not iscoroutinefunction(getattr(extension, kind.method, None)):
        raise ValueError(f"`{name}` made a {type(extension).__name__}, which has no `async def {kind.method}`")
    return extension


def _entry_point(kind: Kind, name: str) -> EntryPoint:
    found = entry_points(group=kind.group, name=name)
    if not found:
        known = ", ".join(sorted(entry_points(group=kind.group).names)) or "none"
        raise ValueError(f"no installed package has an entry point `{name}` in `{kind.group}`; installed: {known}")
    if len(found) > 1:
        packages = ", ".join(sorted(point.dist.name if point.dist else point.value for point in found))
        raise ValueError(f"`{name}` is not the name of one entry point in `{kind.group}`: {packages} have it")
    return next(iter(found))


def _factory(point: EntryPoint) -> Any:
    try:
        factory = point.load()
    except (Exception, SystemExit) as error:
        raise ValueError(f"`{point.value}` cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(factory):
        raise ValueError(f"`{point.value}` is no factory")  # noqa: TRY004 - a mistake of the settings
    return factory
