import pytest

from extauthz.extensions import known_caller


def test_a_known_caller_acts_for_an_application_of_the_catalog():
    principal = known_caller(application="app", subject="ann", scopes=["read", "write"], claims={"tier": 1})
    assert principal.application == "app"
    assert principal.key_manager is None
    assert principal.facts.subject == "ann"
    assert principal.facts.scopes == {"read", "write"}
    assert principal.facts.claims == {"tier": 1}


def test_what_names_the_credential_differs_between_callers_and_not_between_requests():
    def key(**about):
        return known_caller(**({"application": "app", "subject": "ann", "scopes": {"a", "b"}} | about)).token_key

    assert key() == key(scopes=["b", "a"])
    assert len({key(), key(application="other"), key(subject="bob"), key(subject=None), key(scopes=["a"])}) == 5


@pytest.mark.parametrize("wrong", [{"application": ""}, {"application": "app", "scopes": "read write"}])
def test_a_caller_without_an_application_or_with_one_string_of_scopes_is_a_mistake(wrong):
    with pytest.raises(ValueError):
        known_caller(**wrong)
