"""What a configuration may say, and what is said about a wrong one."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.dialects import registry

from extauthz.document.mistakes import DocumentError, path_text
from extauthz.resident.configuration import Configuration, load_configuration
from extauthz.resident.settings import RESERVED_CLAIMS
from extauthz.resident.signing_key import generated_pem

SECRET = "s" * 43
DIGEST = {"sha256": hashlib.sha256(SECRET.encode()).hexdigest()}
CLIENT = {"client_id": "weather", "client_secret": DIGEST}
MINIMAL = {"issuer": "http://127.0.0.1:9443", "audience": ["a"], "clients": [CLIENT]}


def load(folder: Path, document: Any, **environ: str) -> Configuration:
    path = folder / "resident.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return load_configuration(path, environ)


def mistakes(folder: Path, document: Any, **environ: str) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        load(folder, document, **environ)
    return {path_text(mistake.location): mistake.message for mistake in caught.value.mistakes}


def client_mistakes(folder: Path, **settings: Any) -> dict[str, str]:
    return mistakes(folder, {**MINIMAL, "clients": [CLIENT | settings]})


def test_a_minimal_document_has_safe_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL)
    (client,) = settings.clients
    assert str(settings.listen) == "127.0.0.1:9443"
    assert settings.access_token_lifetime_seconds == 3600
    assert (client.may_introspect, client.token_format, client.scopes) == (False, "jwt", ())


def test_every_mistake_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    document = {
        "isuer": "https://example.com",
        "listen": 9443,
        "audience": "a",
        "access_token_lifetime_seconds": "3600",
        "clients": [{"client_id": "a b", "client_secret": "clear", "may_introspect": "yes"}, 7],
    }
    assert set(mistakes(tmp_path, document)) == {
        "isuer",
        "issuer",
        "listen",
        "audience",
        "access_token_lifetime_seconds",
        "clients[0].client_id",
        "clients[0].client_secret",
        "clients[0].may_introspect",
        "clients[1]",
    }


def test_a_mistyped_key_is_answered_with_the_key_that_was_meant(tmp_path: Path) -> None:
    document = {**MINIMAL, "clients": [CLIENT | {"token_fromat": "jwt"}]}
    with pytest.raises(DocumentError, match="did you mean `token_format`"):
        load(tmp_path, document)


def test_no_message_repeats_a_secret_that_stands_in_the_wrong_place(tmp_path: Path) -> None:
    misplaced = [
        {**MINIMAL, "clients": [{"client_id": SECRET + "!", "client_secret": SECRET}]},
        {**MINIMAL, "clients": [{"client_id": "a", "client_secret": {"value": SECRET}}]},
        {**MINIMAL, "clients": [{"client_id": "a", "client_secret": {SECRET: None}}]},
        {**MINIMAL, "clients": [{"client_id": "a", "client_secret": {"sha256": SECRET}}]},
        {**MINIMAL, "signing_key": SECRET},
        {**MINIMAL, "database": SECRET},
        f"issuer: [unclosed\nsecret: {SECRET}",
    ]
    for document in misplaced:
        with pytest.raises(DocumentError) as caught:
            load(tmp_path, document)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "issuer",
    ["http://localhost:9443", "http://127.0.0.2", "http://[::1]:1", "https://example.com", "https://example.com/a/b-c"],
)
def test_issuer_is_https_or_loopback(tmp_path: Path, issuer: str) -> None:
    assert load(tmp_path, {**MINIMAL, "issuer": issuer}).issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "http://example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "https://user@example.com",
        "https://example.com/",
        "https://example.com/a/",
        "https://example.com//a",
        "https://example.com/../a",
        "https://example.com/{a}",
        "https://example.com?",
        "https://example.com#a",
        "https://example.com:x",
        "ftp://example.com",
        "example.com",
        "https://",
    ],
)
def test_any_other_issuer_is_refused(tmp_path: Path, issuer: str) -> None:
    assert set(mistakes(tmp_path, {**MINIMAL, "issuer": issuer})) == {"issuer"}


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", ":9443", "http://127.0.0.1:9443", "127.0.0.1:99999", "a@b:1", "::1:9443"]
)
def test_a_malformed_address_is_refused(tmp_path: Path, listen: str) -> None:
    assert set(mistakes(tmp_path, {**MINIMAL, "listen": listen})) == {"listen"}


def test_a_secret_is_read_from_environment_file_or_digest_and_kept_as_digest(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    for reference in ({"env": "SECRET"}, {"file": str(tmp_path / "secret")}, {"file": "secret"}, DIGEST):
        clients = [{"client_id": "weather", "client_secret": reference}]
        settings = load(tmp_path, {**MINIMAL, "clients": clients}, SECRET=SECRET)
        assert settings.clients[0].secret_digest == hashlib.sha256(SECRET.encode()).digest()
        assert SECRET not in repr(settings)


def test_a_secret_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    clients = [{"client_id": "weather", "client_secret": {"env": "SECRET"}}]
    found = mistakes(tmp_path, {**MINIMAL, "clients": clients}, SECRET="s" * 31)
    assert "fewer than 32 characters" in found["clients[0].client_secret"]


@pytest.mark.parametrize(
    "reference",
    [
        {"env": "ABSENT"},
        {"env": "EMPTY"},
        {"file": "/nonexistent/secret"},
        {"file": "/"},
        {"sha256": "ab"},
        {"sha256": 5},
        {"env": "SET", "file": "/x"},
        {},
        None,
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(tmp_path: Path, reference: Any) -> None:
    clients = [{"client_id": "weather", "client_secret": reference}]
    document = {**MINIMAL, "clients": clients}
    assert set(mistakes(tmp_path, document, EMPTY="", SET=SECRET)) == {"clients[0].client_secret"}


def test_a_key_that_cannot_sign_is_refused(tmp_path: Path) -> None:
    document = {**MINIMAL, "signing_key": {"env": "KEY"}}
    assert set(mistakes(tmp_path, document, KEY="not a key")) == {"signing_key"}
    assert load(tmp_path, document, KEY=generated_pem()).signing_key is not None


@pytest.mark.parametrize("claim", sorted(RESERVED_CLAIMS))
def test_claims_that_the_server_writes_cannot_be_set(tmp_path: Path, claim: str) -> None:
    assert claim in client_mistakes(tmp_path, claims={claim: "x"})["clients[0].claims"]


def test_claims_must_be_json(tmp_path: Path) -> None:
    for value in (float("nan"), b"bytes"):
        assert any(place.startswith("clients[0].claims") for place in client_mistakes(tmp_path, claims={"x": value}))


@pytest.mark.parametrize("scope", ["a b", "", 'a"', "a\\", "\u00e9"])
def test_a_scope_outside_the_rfc6749_alphabet_is_refused(tmp_path: Path, scope: str) -> None:
    assert set(client_mistakes(tmp_path, scopes=[scope])) == {"clients[0].scopes[0]"}


@pytest.mark.parametrize("seconds", [0, -1, 30 * 24 * 3600 + 1, True, 1.5])
def test_a_lifetime_out_of_bounds_is_refused(tmp_path: Path, seconds: Any) -> None:
    place = "access_token_lifetime_seconds"
    assert set(mistakes(tmp_path, {**MINIMAL, place: seconds})) == {place}
    assert set(client_mistakes(tmp_path, **{place: seconds})) == {f"clients[0].{place}"}


def test_every_reference_that_leads_nowhere_is_reported_at_once_with_its_line_and_a_hint(tmp_path: Path) -> None:
    document = (
        "issuer: https://a.example\n"
        "audience: [a]\n"
        "signing_key: {env: ABSENT}\n"
        "clients:\n"
        "- {client_id: a, client_secret: {env: SECRET}}\n"
        "- client_id: b\n"
        "  client_secret: {file: absent}\n"
    )
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, document, SECRET=SECRET)
    found = {path_text(mistake.location): mistake for mistake in caught.value.mistakes}
    assert {place: mistake.line for place, mistake in found.items()} == {
        "signing_key": 3,
        "clients[1].client_secret": 7,
    }
    assert "PEM" in found["signing_key"].hint
    assert "extauthz resident secret" in found["clients[1].client_secret"].hint


def test_a_database_that_processes_may_share_needs_a_signing_key(tmp_path: Path) -> None:
    """Told although another part is wrong. Some other database than SQLite, whose driver is always there."""
    registry.register("shared", "sqlalchemy.dialects.sqlite.pysqlite", "dialect")
    document = {**MINIMAL, "database": "shared://host/tokens"}
    assert set(mistakes(tmp_path, {**document, "listen": "x"})) == {"signing_key", "listen"}
    assert load(tmp_path, {**document, "signing_key": {"env": "KEY"}}, KEY=generated_pem()).signing_key is not None


def test_two_clients_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "weather" in mistakes(tmp_path, {**MINIMAL, "clients": [CLIENT, CLIENT]})["clients"]


def test_no_clients_and_no_audience_are_refused(tmp_path: Path) -> None:
    assert set(mistakes(tmp_path, {**MINIMAL, "clients": [], "audience": []})) == {"clients", "audience"}


def test_a_database_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    for database in ("resident.db", "nosuchdatabase://x", "oracle://x"):
        assert set(mistakes(tmp_path, {**MINIMAL, "database": database})) == {"database"}


@pytest.mark.parametrize(
    "document", ["", "- a", "issuer: [", "issuer: a\nissuer: b", "a: \x00", b"\xff".decode("latin1"), "? [a]\n: b"]
)
def test_a_document_that_is_no_mapping_is_refused(tmp_path: Path, document: str) -> None:
    assert mistakes(tmp_path, document)


def test_a_repeated_key_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"issuer \(line 2\): stands twice"):
        load(tmp_path, "issuer: https://a.example\nissuer: https://b.example\n")


def test_an_absent_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        load_configuration(tmp_path / "absent.yaml", {})
