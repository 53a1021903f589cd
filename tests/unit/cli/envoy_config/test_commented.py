from hypothesis import given
from hypothesis import strategies as st

from extauthz.cli.envoy_config.commented import Because, because, commented, without_reasons
from extauthz.document.text import parse

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), max_size=200)
KEYS = st.from_regex(r"[@#]?[a-z][a-z0-9_.]{0,20}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers() | WORDS
NODES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.builds(Because, value=inner.filter(lambda node: not isinstance(node, Because)), reason=WORDS)
    ),
    max_leaves=12,
)


def with_no_list_in_a_list(node):
    """Envoy has none, and we write none."""
    value = node.value if isinstance(node, Because) else node
    if isinstance(value, list):
        plain = [each.value if isinstance(each, Because) else each for each in value]
        return not any(isinstance(each, list) for each in plain) and all(map(with_no_list_in_a_list, value))
    return not isinstance(value, dict) or all(map(with_no_list_in_a_list, value.values()))


@given(st.dictionaries(KEYS, NODES.filter(with_no_list_in_a_list), min_size=1, max_size=3))
def test_what_is_written_is_what_was_meant_whatever_the_comments_say(document):
    data, _, mistakes = parse(commented(document), "written")
    assert mistakes == []
    assert data == without_reasons(document)


def test_a_reason_stands_above_its_value():
    document = {"a": because("for b", {"b": because("for c", [because("for d", {"d": 1, "e": 2})])})}
    assert commented(document).splitlines() == [
        *("# for b", "a:", "  # for c", "  b:", "    # for d", "    - d: 1", "      e: 2"),
    ]
