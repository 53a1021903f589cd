import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.catalog.resource_template import ResourceTree, template_problem
from extauthz.model.api import Resource


def tree(*templates, methods=("GET",)):
    return ResourceTree(Resource(template=t, methods=frozenset(methods)) for t in templates)


def found(resources, path):
    here = resources.find(tuple(path[1:].split("/")))
    return next(iter(here.values())).template if here else None


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
    assert {method: resource.template for method, resource in here.items()} == {"GET": "/p/{a}", "PUT": "/p/{b}"}


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
    assert here.keys() == {"GET"}


SEGMENTS = st.sampled_from(["a", "b", "{x}"])
TEMPLATES = st.builds(
    lambda parts, wild: "/" + "/".join([*parts, "*"] if wild else parts),
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.booleans(),
)


def reference(templates, path):
    """Slow and obvious: every template that matches, ranked by its parts from the left."""

    def rank(template):
        parts = template[1:].split("/")
        if parts[-1] == "*":
            if len(path) < len(parts) - 1:
                return None
            parts = parts[:-1]
            tail = [2]
        elif len(parts) != len(path):
            return None
        else:
            tail = [-1]
        ranks = []
        for part, segment in zip(parts, path, strict=False):
            if part.startswith("{"):
                ranks.append(1)
            elif part == segment:
                ranks.append(0)
            else:
                return None
        return [*ranks, *tail]

    ranked = [(rank(template), template) for template in templates if rank(template) is not None]
    return min(ranked)[1] if ranked else None


@given(st.sets(TEMPLATES, max_size=8), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5))
def test_the_tree_agrees_with_a_slow_reference(templates, path):
    ordered = sorted(templates)
    assert found(tree(*ordered), "/" + "/".join(path)) == reference(ordered, path)


@pytest.mark.parametrize("template", ["/", "/a", "/a/", "/{x}", "/a/*", "/a/**", "/*", "/a%20b", "/a.b/{c}/d"])
def test_a_template_that_requests_can_have_is_right(template):
    assert template_problem(template) is None
