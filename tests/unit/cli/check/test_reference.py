import io
import sys

import pytest

from extauthz.cli.check.reference import MAX_BYTES, Reference, pem_of, token_of


def test_a_token_is_in_the_environment_or_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "abc")
    (tmp_path / "token").write_text("def\n")
    assert token_of("env:TEST_TOKEN", tmp_path) == "abc"
    assert token_of("file:token", tmp_path) == "def"


def test_a_token_may_come_from_standard_input(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ghi\n")))
    assert token_of("-", tmp_path) == "ghi"


def test_a_token_is_no_argument_and_is_not_repeated(tmp_path):
    with pytest.raises(ValueError, match="standard input") as caught:
        token_of("eyJhbGciOi", tmp_path)
    assert "eyJhbGciOi" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (MAX_BYTES + 1)])
def test_a_file_without_a_value_is_a_mistake(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ValueError, match="token"):
        Reference(file="token").value(tmp_path)


@pytest.mark.parametrize("text", ["env:", "file:", "abc", ""])
def test_what_names_no_place_is_no_reference(text):
    assert Reference.parse(text) is None


def test_a_certificate_is_pem(tmp_path):
    (tmp_path / "c.pem").write_text("-----BEGIN PRIVATE KEY-----")
    with pytest.raises(ValueError, match="no PEM certificate"):
        pem_of(tmp_path / "c.pem")
