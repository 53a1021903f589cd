"""What a revocation may say."""

import pytest

from extauthz.revocation.revocation import Revocation, RevocationForm


@pytest.mark.parametrize(
    ("form", "times"),
    [
        (RevocationForm.CLIENT, {}),
        (RevocationForm.SUBJECT, {"issued_until": 1.0, "expires_at": 2.0}),
        (RevocationForm.TOKEN, {"issued_until": 1.0}),
        (RevocationForm.TOKEN_ID, {"expires_at": float("inf")}),
        (RevocationForm.TOKEN_ID, {"expires_at": float("nan")}),
        (RevocationForm.TOKEN_ID, {"expires_at": 253_402_300_800.0}),
        (RevocationForm.CLIENT, {"issued_until": -1.0}),
    ],
)
def test_a_time_that_is_missing_or_odd_or_of_another_form_is_refused(form, times):
    with pytest.raises(ValueError):
        Revocation(key_manager="km", form=form, value="v", **times)


@pytest.mark.parametrize("empty", ["organization", "key_manager", "value"])
def test_nothing_may_be_empty(empty):
    parts = {"organization": "o", "key_manager": "km", "value": "v"} | {empty: ""}
    with pytest.raises(ValueError, match="must not be empty"):
        Revocation(form=RevocationForm.TOKEN, **parts)


def test_the_value_is_not_shown():
    assert "secret-value" not in repr(Revocation(key_manager="km", form=RevocationForm.TOKEN, value="secret-value"))
