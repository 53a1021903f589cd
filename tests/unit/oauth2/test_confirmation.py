"""RFC 7800 §3.1, RFC 8705 §3.1, RFC 9449 §6.1."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2.confirmation import confirmation

VECTORS = Path(__file__).parents[2] / "vectors"
RFC8705 = json.loads((VECTORS / "rfc8705.json").read_text(encoding="utf-8"))
RFC9449 = json.loads((VECTORS / "rfc9449.json").read_text(encoding="utf-8"))
JKT, X5T = RFC9449["jkt"], RFC8705["appendix_a_x5t_s256"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def test_a_token_without_cnf_is_bound_to_nothing():
    assert confirmation({"sub": "alice"}) is None


def test_the_rfcs_example_is_bound_to_a_certificate():
    claims = RFC8705["section_3_1_claims"]
    bound = confirmation(claims)
    assert bound is not None
    assert (bound.x5t_s256, bound.jkt) == (claims["cnf"]["x5t#S256"], None)


def test_a_token_may_be_bound_twice():
    bound = confirmation({"cnf": {"jkt": JKT, "x5t#S256": X5T}})
    assert bound is not None
    assert (bound.jkt, bound.x5t_s256) == (JKT, X5T)


@pytest.mark.parametrize(
    "cnf",
    [
        None,
        {},
        [],
        "jkt",
        True,
        {"kid": "k"},
        {"jwk": RFC9449["jwk"]},
        {"jku": "https://example.com"},
        {"x5t": X5T},
        {"X5T#S256": X5T},
        {"jkt": JKT, "kid": "k"},
        {"x5t#S256": X5T, "x5t#uri": "spiffe://example"},
        {"jkt": None},
        {"jkt": JKT, "x5t#S256": None},
        {"jkt": [JKT]},
        {"jkt": ""},
        {"jkt": JKT + "="},
        {"jkt": JKT[:-1]},
        {"jkt": JKT[:-1] + "+"},
        {"jkt": JKT + "\n"},
    ],
)
def test_a_binding_that_cannot_be_verified_is_refused(cnf):
    with pytest.raises(Denied) as caught:
        confirmation({"cnf": cnf})
    assert caught.value.reason is Reason.INVALID_TOKEN


@given(JSON)
def test_no_cnf_is_taken_for_none(cnf):
    try:
        bound = confirmation({"cnf": cnf})
    except Denied:
        return
    assert bound is not None
    assert bound.jkt or bound.x5t_s256
