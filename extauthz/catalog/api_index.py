"""Which API a host and a path belong to."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from msgspec import Struct

from extauthz.catalog.request_path import segments
from extauthz.catalog.resource_template import ResourceTree
from extauthz.model.api import Api

ANY_HOST = "*"

_LONGEST_HOST = 255 + len(":65535")
"""RFC 1035 §2.3.4. Each label costs a look-up, and nobody has shown a token yet."""

BasePath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexedApi:
    """An API, ready to be matched."""

    api: Api
    resources: ResourceTree
    base_paths: tuple[BasePath, ...]
    """The longer one first."""


class Located(Struct, frozen=True):
    """The API that a request is for, and the rest of its path."""

    indexed: IndexedApi
    below: tuple[str, ...]
    """Segments behind the API's context; never empty: `/petstore/v1` and `/petstore/v1/` both mean the template `/`."""


class ApiIndex:
    """APIs by host and base path; a look-up costs the depth of the deepest base path, whatever the number of APIs."""

    def __init__(self) -> None:
        self._by_host: dict[str, dict[BasePath, IndexedApi]] = {}
        # Of all that were ever here: what is gone costs a look-up, nothing else.
        self._depths: tuple[int, ...] = ()
        """Of base paths, the longest first."""
        self._has_patterns = False
        """Whether there are hosts like `*.example.com`."""

    def tables(self) -> Iterator[dict[BasePath, IndexedApi]]:
        """All that may be large."""
        yield from self._by_host.values()

    def put(self, indexed: IndexedApi) -> None:
        """Finds an API from now on; where another one was, this one stands."""
        for host, base in _places(indexed):
            if len(base) not in self._depths:
                self._depths = tuple(sorted({*self._depths, len(base)}, reverse=True))
            self._has_patterns = self._has_patterns or host.startswith("*.")
            self._by_host.setdefault(host, {})[base] = indexed

    def remove(self, indexed: IndexedApi) -> None:
        """Finds an API no longer."""
        for host, base in _places(indexed):
            contexts = self._by_host.get(host, {})
            if contexts.get(base) is indexed:
                del contexts[base]
            if not contexts:
                self._by_host.pop(host, None)

    def find(self, host: str, path: tuple[str, ...]) -> Located | None:
        """The API with the most specific host, then the longest base path that the path begins with."""
        if len(host) > _LONGEST_HOST:
            return None
        name = host.lower()
        if ":" in name or name[-1:] == ".":
            name = _without_port(name)
        candidates = (name, *_patterns(name), ANY_HOST) if self._has_patterns else (name, ANY_HOST)
        for candidate in candidates:
            contexts = self._by_host.get(candidate)
            if contexts is None:
                continue
            for depth in self._depths:
                indexed = contexts.get(path[:depth])
                if indexed is not None:
                    return Located(indexed, path[depth:] or ("",))
        return None


def base_path(context: str) -> BasePath:
    """The segments of an API's context, read as those of a request are; none for `/`."""
    # Of APIs that share words, the same objects: a look-up compares with what is in the processor's cache already.
    return tuple(sys.intern(part) for part in segments(context) or () if part)


def base_paths(api: Api) -> tuple[BasePath, ...]:
    """Where an API begins; the longer one first."""
    paths = [base_path(api.context), *([base_path(api.default_context)] if api.default_context is not None else [])]
    return tuple(sorted(paths, key=len, reverse=True))


def _places(indexed: IndexedApi) -> Iterable[tuple[str, BasePath]]:
    return product((host.lower() for host in indexed.api.hosts or (ANY_HOST,)), indexed.base_paths)


def _without_port(host: str) -> str:
    """`api.example.com` for `api.example.com.:443`, and `[::1]` for `[::1]:443`."""
    # An IPv6 literal has colons of its own.
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.removesuffix(".")


def _patterns(name: str) -> Iterator[str]:
    """`*.example.com` and `*.com` for `api.example.com`."""
    _, dot, rest = name.partition(".")
    while dot:
        yield f"*.{rest}"
        _, dot, rest = rest.partition(".")
