"""URI templates of resources, and which of them is meant by a path.

A template's segments are literal, `{parameter}` (any one non-empty segment) or, at the end only, `*` (whatever is left,
nothing included; WSO2's meaning). Segment by segment from the left, literal beats parameter beats wildcard.
"""

import re
import sys
from collections.abc import Iterable, Iterator

from extauthz.catalog.request_path import segments
from extauthz.model.api import Resource

_PARAMETER = re.compile(r"\{[^{}]+\}")
_WILDCARDS = ("*", "**")

Resources = tuple[Resource, ...]
"""Those of one template; of two that have a method in common, the first one answers to it."""


class _Node:
    """Where some templates go on. A catalog has about as many as resources: nothing is made before it is needed."""

    __slots__ = ("below", "here", "literals", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] | None = None
        self.parameter: _Node | None = None
        self.here: Resources = ()
        self.below: Resources = ()


_Found = tuple[Resources, bool]
"""Some resources, and whether it was a wildcard that found them."""
_BY_WILDCARD = -1
"""In the place of a depth: whatever is left of the path."""


class ResourceTree(_Node):
    """The resources of one API, by path; a look-up costs the depth of the path, whatever the number of resources."""

    __slots__ = ()

    def __init__(self, resources: Iterable[Resource]) -> None:
        super().__init__()
        for resource in resources:
            _put(self, resource)

    def find(self, path: tuple[str, ...]) -> Resources | None:
        """The resources at the most specific template; None if no template matches.

        A method that the template lacks is not looked for in a wider template: as in OpenAPI, the path decides first,
        so that `POST /pets/admin` cannot fall through to an open `/pets/*`. Nor can `/pets/admin/`, which many
        upstreams take for the same: a slash at the end that only a wildcard accepts is refused where the path without
        it means something else.
        """
        found = _find(self, path)
        if found is None:
            return None
        resources, by_wildcard = found
        if not by_wildcard or path[-1] or len(path) == 1:
            return resources
        without = _find(self, path[:-1])
        return resources if without is None or without[0] is resources else None


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
        before = _put(root, resource)
        for method in sorted(resource.methods):
            if any(method in other.methods for other in before):
                yield index, method


def _put(node: _Node, resource: Resource) -> Resources:
    """Adds a resource; those that were at its template before."""
    for part in resource.template[1:].split("/"):
        if part in _WILDCARDS:
            before, node.below = node.below, (*node.below, resource)
            return before
        node = _next(node, part)
    before, node.here = node.here, (*node.here, resource)
    return before


def _next(node: _Node, part: str) -> _Node:
    if _PARAMETER.fullmatch(part):
        node.parameter = node.parameter or _Node()
        return node.parameter
    if node.literals is None:
        node.literals = {}
    read = segments(f"/{part}")
    # The APIs of a catalog use the same words over and over.
    return node.literals.setdefault(sys.intern(read[0] if read else part), _Node())


def _find(node: _Node, path: tuple[str, ...]) -> _Found | None:
    """Goes on by the most specific way, and back to the last of the other ways where one leads nowhere.

    One loop: a call for each segment would cost more than the rest of the look-up.
    """
    depth, end = 0, len(path)
    others: list[tuple[_Node, int]] = []
    while True:
        if node.below:
            others.append((node, _BY_WILDCARD))
        onward: _Node | None = None
        if depth == end:
            if node.here:
                return node.here, False
        else:
            segment = path[depth]
            depth += 1
            onward = node.literals.get(segment) if node.literals is not None else None
            if segment and node.parameter is not None:
                if onward is None:
                    onward = node.parameter
                else:
                    others.append((node.parameter, depth))
        if onward is not None:
            node = onward
            continue
        if not others:
            return None
        node, depth = others.pop()
        if depth == _BY_WILDCARD:
            return node.below, True
