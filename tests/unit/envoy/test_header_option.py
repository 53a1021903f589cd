"""Headers that Envoy sets for us."""

import pytest

from extauthz.envoy.header_option import header_name, header_option


@pytest.mark.parametrize("value", ["", "a\rb", "a\nb", "a\r\nx-admin: 1", "a\x00b", "é", "a\tb", "\x7f", "ab\n"])
def test_a_value_that_is_not_printable_ascii_is_not_sent(value):
    with pytest.raises(ValueError, match="printable ASCII"):
        header_option("x-jwt-assertion", value)


def test_the_message_does_not_hold_the_value():
    with pytest.raises(ValueError) as error:
        header_option("x-jwt-assertion", "secret\n")
    assert "secret" not in str(error.value)


def test_both_fields_say_overwrite():
    option = header_option("x-jwt-assertion", "a.b.c")
    assert option.HasField("append")
    assert option.append.value is False
    assert option.append_action == option.OVERWRITE_IF_EXISTS_OR_ADD
    assert (option.header.value, option.header.raw_value) == ("a.b.c", b"")


def test_names_are_lower_case():
    assert header_name("X-JWT-Assertion") == "x-jwt-assertion"


@pytest.mark.parametrize("name", ["", ":path", "a b", "a\n", "x:y", "ü"])
def test_what_is_no_header_name_is_not_accepted(name):
    with pytest.raises(ValueError, match="not a header name"):
        header_name(name)
