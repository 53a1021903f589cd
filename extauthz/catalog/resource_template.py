"""URI templates of resources, and which of them is meant by a path.

A template's segments are literal, `{parameter}` (any one non-empty segment) or, at the end only, `*` (whatever is left,
nothing included; WSO2's meaning). Segment by segment from the left, literal beats parameter beats wildcard.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from extauthz.catalog.request_path import segments
from extauthz.model.api import Resource

_PARAMETER = re.compile(r"\{[^{}]+\}")
_WILDCARDS = ("*", "**")

ResourcesByMethod = dict[str, Resource]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    here: ResourcesByMethod = field(default_factory=dict)
    below: ResourcesByMethod = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    resources: ResourcesByMethod
    by_wildcard: bool


class ResourceTree:
    """The resources of one API, by path."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._root = _Node()
        for resource in resources:
            found = _place(self._root, resource.template)
            for method in resource.methods:
                found.setdefault(method, resource)

    def find(self, path: tuple[str, ...]) -> Mapping[str, Resource] | None:
        """The resources at the most specific template, by method; None if no template matches.

        A method that the template lacks is not looked for in a wider template: as in OpenAPI, the path decides first,
        so that `POST /pets/admin` cannot fall through to an open `/pets/*`. Nor can `/pets/admin/`, which many
        upstreams take for the same: a slash at the end that only a wildcard accepts is refused where the path without
        it means something else.
        """
        found = _find(self._root, path, 0)
        if found is None or not found.by_wildcard or path[-1] or len(path) == 1:
            return found.resources if found else None
        without = _find(self._root, path[:-1], 0)
        return found.resources if without is None or without.resources is found.resources else None


def template_problem(template: str) -> str | None:
    """What is wrong with a template, or None."""
    if not template.startswith("/"):
        return "must begin with /"
    *inner, last = template[1:].split("/")
    if any(part in _WILDCARDS for part in inner):
        return "a wildcard may only stand at the end"
    for part in (*inner, last):
        stripped = _PARAMETER.sub("x", part) if _PARAMETER.fullmatch(part) else part
        if part not in _WILDCARDS and any(character in stripped for character in "{}*"):
            return f"`{part}`: a parameter or a wildcard takes a whole segment"
    literal = "/".join("x" if _PARAMETER.fullmatch(p) or p in _WILDCARDS else p for p in (*inner, last))
    return None if segments(f"/{literal}") is not None else "no request can have such a path"


def ambiguities(resources: Iterable[Resource]) -> Iterator[tuple[int, str]]:
    """Index and method of each resource that another one before it already answers, whatever its parameters' names."""
    root = _Node()
    for index, resource in enumerate(resources):
        found = _place(root, resource.template)
        for method in sorted(resource.methods):
            if found.setdefault(method, resource) is not resource:
                yield index, method


def _place(node: _Node, template: str) -> ResourcesByMethod:
    parts = template[1:].split("/")
    for part in parts:
        if part in _WILDCARDS:
            return node.below
        if _PARAMETER.fullmatch(part):
            node.parameter = node.parameter or _Node()
            node = node.parameter
        else:
            literal = segments(f"/{part}")
            node = node.literals.setdefault(literal[0] if literal else part, _Node())
    return node.here


def _find(node: _Node, path: tuple[str, ...], depth: int) -> _Found | None:
    if depth == len(path):
        if node.here:
            return _Found(resources=node.here, by_wildcard=False)
        return _by_wildcard(node)
    segment = path[depth]
    if (literal := node.literals.get(segment)) and (found := _find(literal, path, depth + 1)):
        return found
    if segment and node.parameter and (found := _find(node.parameter, path, depth + 1)):
        return found
    return _by_wildcard(node)


def _by_wildcard(node: _Node) -> _Found | None:
    return _Found(resources=node.below, by_wildcard=True) if node.below else None
