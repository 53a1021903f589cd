"""Which template a path means: by example, and against a reference that looks at all of them."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extauthz.catalog.resource_template import ResourceTree, template_problem
from extauthz.model.api import Resource

GET = frozenset({"GET"})


def tree(*templates):
    return ResourceTree(Resource(template=template, methods=GET) for template in templates)


def found(resources, path):
    here = resources.find(tuple(path[1:].split("/")))
    return here[0].template if here else None


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/pets", "/pets"),
        ("/pets/1", "/pets/{id}"),
        ("/pets/admin", "/pets/admin"),
        ("/pets/1/toys", "/pets/{id}/toys"),
        ("/pets/admin/toys", "/pets/{id}/toys"),
        ("/pets/1/2/3", "/pets/*"),
        ("/pets/", None),
        ("/pets/1/2/", "/pets/*"),
        ("/other", None),
        ("/", None),
    ],
)
def test_the_most_specific_template_wins(path, template):
    resources = tree("/pets/*", "/pets/{id}", "/pets/admin", "/pets", "/pets/{id}/toys")
    assert found(resources, path) == template


def test_a_slash_at_the_end_does_not_lead_into_a_wildcard_past_the_same_path_without_it():
    """Else `/admin/`, which many upstreams take for `/admin`, would be found at an open `/*`."""
    resources = tree("/*", "/admin", "/users/{id}", "/docs", "/docs/")
    assert found(resources, "/admin/") is None
    assert found(resources, "/users/7/") is None
    assert found(resources, "/docs/") == "/docs/"
    assert found(resources, "/other/") == "/*"
    assert found(resources, "/") == "/*"


def test_a_wildcard_takes_nothing_too():
    assert found(tree("/pets/*"), "/pets") == "/pets/*"
    assert found(tree("/*"), "/") == "/*"


def test_a_parameter_takes_no_empty_segment():
    assert found(tree("/pets/{id}"), "/pets/") is None


def test_the_methods_of_one_template_may_stand_in_several_resources():
    resources = ResourceTree(
        [
            Resource(template="/p/{a}", methods=frozenset({"GET"})),
            Resource(template="/p/{b}", methods=frozenset({"PUT"})),
        ]
    )
    here = resources.find(("p", "1"))
    assert here is not None
    assert {resource.template: resource.methods for resource in here} == {"/p/{a}": {"GET"}, "/p/{b}": {"PUT"}}


def test_a_method_is_not_looked_for_in_a_wider_template():
    """Else POST /pets/admin would fall through to an open `/pets/*`."""
    resources = ResourceTree(
        [
            Resource(template="/pets/*", methods=frozenset({"GET", "POST"}), open=True),
            Resource(template="/pets/admin", methods=frozenset({"GET"})),
        ]
    )
    here = resources.find(("pets", "admin"))
    assert here is not None
    assert [resource.methods for resource in here] == [{"GET"}]


LITERAL, PARAMETER, WILDCARD = range(3)
"""What beats what, of templates that are alike to the left of it."""


def ranks(template, path):
    """The rank of each segment of the path under this template; None if the template does not match."""
    parts = template[1:].split("/")
    wild = parts[-1] in ("*", "**")
    parts = parts[:-1] if wild else parts
    if len(path) < len(parts) or (len(path) > len(parts) and not wild):
        return None
    ranked = []
    for part, segment in zip(parts, path, strict=False):
        is_parameter = part.startswith("{")
        if part != segment and not (is_parameter and segment):
            return None
        ranked.append(PARAMETER if is_parameter else LITERAL)
    # The longer list loses against its own beginning, so `/p` beats `/p/*`.
    return [*ranked, WILDCARD] if wild else ranked


def most_specific(templates, path):
    """Slow and obvious: looks at every template, and ranks those that match segment by segment from the left."""
    ranked = [(ranked, template) for template in templates if (ranked := ranks(template, path)) is not None]
    return min(ranked, default=(None, None))


def reference(templates, path):
    ranked, template = most_specific(templates, path)
    if template is None or ranked[-1] != WILDCARD or path[-1] or len(path) == 1:
        return template
    # A slash at the end that only a wildcard takes: the path without it must mean the same (decision 0004).
    _, without = most_specific(templates, path[:-1])
    return template if without in (None, template) else None


def templates_and_paths():
    """Few words and short paths, so that many templates match, and some are alike but for their wildcards."""
    words = st.sampled_from(["a", "b", "{x}"])
    ends = st.sampled_from([(), ("",), ("*",), ("**",)])
    template = st.builds(lambda parts, end: "/" + "/".join([*parts, *end]), st.lists(words, max_size=4), ends)
    # `/p/*` and `/p/**` are one template, and a catalog that has both for one method is refused.
    distinct = st.lists(template, max_size=10, unique_by=lambda each: each.replace("**", "*"))
    path = st.builds(
        lambda parts, slash: (*parts, "") if slash or not parts else tuple(parts),
        st.lists(st.sampled_from(["a", "b", "c"]), max_size=5),
        st.booleans(),
    )
    return distinct, path


TEMPLATES, PATHS = templates_and_paths()


@settings(max_examples=500)
@given(TEMPLATES, PATHS)
def test_the_tree_agrees_with_a_slow_reference(templates, path):
    assert found(tree(*templates), "/" + "/".join(path)) == reference(templates, path)


@settings(max_examples=200)
@given(TEMPLATES, PATHS, st.randoms(use_true_random=False))
def test_the_order_of_the_templates_means_nothing(templates, path, random):
    shuffled = random.sample(templates, len(templates))
    assert found(tree(*templates), "/" + "/".join(path)) == found(tree(*shuffled), "/" + "/".join(path))


class CountedPath(tuple[str, ...]):
    """A path that knows how often one of its segments was looked at."""

    __slots__ = ()
    looks = 0

    def __getitem__(self, index):
        CountedPath.looks += isinstance(index, int)
        return super().__getitem__(index)


def looks_at(resources, *path):
    CountedPath.looks = 0
    resources.find(CountedPath(path))
    return CountedPath.looks


def test_a_look_up_does_not_grow_with_the_number_of_resources():
    few, many = (tree(*(f"/{word}{n}/{{id}}/x" for n in range(count) for word in "abc")) for count in (2, 2000))
    assert looks_at(few, "a1", "7", "x") == looks_at(many, "a1", "7", "x") <= 4
    assert looks_at(many, *("z" * 4000)) == 1


def test_a_resource_costs_little_memory():
    """A large catalog has 200,000 in 10,000 APIs, with the same words in many of them."""
    apis = [[Resource(template=f"/resource-{number}/{{id}}", methods=GET) for number in range(20)] for _ in range(200)]
    tracemalloc.start()
    trees = [ResourceTree(api) for api in apis]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {found(kept, "/resource-7/1") for kept in trees} == {"/resource-7/{id}"}
    assert size / sum(map(len, apis)) < 300


@pytest.mark.parametrize("template", ["/", "/a", "/a/", "/{x}", "/a/*", "/a/**", "/*", "/a%20b", "/a.b/{c}/d"])
def test_a_template_that_requests_can_have_is_right(template):
    assert template_problem(template) is None
