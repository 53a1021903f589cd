import pytest

from extauthz.data_plane.secrets import Secrets, read_secrets
from extauthz.document.mistakes import DocumentError
from extauthz.settings.secrets import SecretSettings


def test_secrets_come_from_the_environment_and_from_files(tmp_path):
    (tmp_path / "file").write_bytes(b"two\nlines\n")
    (tmp_path / "windows").write_bytes(b"word\r\n")
    declared = {
        "a": SecretSettings(env="A"),
        "b": SecretSettings(file="file"),
        "c": SecretSettings(file="windows"),
    }
    secrets = read_secrets(declared, tmp_path, {"A": "one"})
    assert [secrets.value(name) for name in "abc"] == [b"one", b"two\nlines", b"word"]


def test_every_secret_that_is_not_there_is_named_at_once(tmp_path):
    (tmp_path / "empty").touch()
    declared = {
        "a": SecretSettings(env="A"),
        "b": SecretSettings(file="missing"),
        "c": SecretSettings(file="empty"),
    }
    with pytest.raises(DocumentError) as caught:
        read_secrets(declared, tmp_path, {"A": ""})
    assert [mistake.location for mistake in caught.value.mistakes] == [("secrets", name) for name in "abc"]


def test_a_secret_goes_only_to_its_hosts():
    secrets = Secrets({"s": b"word"}, {"s": frozenset({"IdP.example.com"})})
    assert secrets.for_endpoint("s", "https://idp.example.com:8443/introspect") == "word"
    for url in ("https://example.com/", "https://idp.example.com.evil.org/", "https://evil.org/idp.example.com"):
        with pytest.raises(ValueError, match="may not be sent"):
            secrets.for_endpoint("s", url)


def test_a_secret_that_is_not_known_or_not_text_is_said_without_its_value():
    secrets = Secrets({"s": b"\xff\xfe"}, {})
    with pytest.raises(ValueError, match="known: s"):
        secrets.value("other")
    with pytest.raises(ValueError, match="not UTF-8") as caught:
        secrets.text("s")
    assert "xff" not in str(caught.value)
    assert "xff" not in repr(secrets)
