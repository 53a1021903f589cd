import pytest

from extauthz.cli.check.shown import shown_headers, shown_names

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-jwt-assertion", JWT),
        ("x-anything", JWT),
        ("x-anything", f"prefix {JWT}"),
        ("authorization", "Bearer opaque"),
        ("dpop-nonce", "nonce"),
        ("x-encrypted", "eyJhbGciOiJkaXIifQ..aXYxMjM0NQ.Y2lwaGVydGV4dA.dGFn"),
    ],
)
def test_what_is_or_may_be_a_token_is_shown_by_its_length(name, value):
    assert shown_headers({name: value}).keys() == {name}
    shown = shown_headers({name: value})[name]
    assert str(len(value)) in shown
    assert not any(part in shown for part in value.split(".") if part)


@pytest.mark.parametrize(
    "value",
    ["app", "https://api.example.com/pets", "v1.2.3", "petstore-production.example.com", "a,b", 'Bearer realm="x"'],
)
def test_other_values_are_shown(value):
    assert shown_headers({"x-caller": value}) == {"x-caller": value}


def test_names_that_differ_by_their_dashes_are_told_once():
    removed = ["x-api-key", "x_api-key", "x-api_key", "x_ours", "x_odd"]
    assert shown_names(removed, ["x-ours"]) == ["x-api-key", "x_odd"]
