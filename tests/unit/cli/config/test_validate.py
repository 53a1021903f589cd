import datetime as dt
import json

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.catalogs import catalog_document, key_manager, text_of
from support.certificate_authority import CertificateAuthority
from support.signing_keys import private_key
from typer.testing import CliRunner

from extauthz.cli.application import application

SETTINGS = {"catalog": {"file": "catalog.yaml"}, "secrets": {"pepper": {"file": "pepper"}}}
NOBODY = "redis://127.0.0.1:1/0"
SECRET = "a secret of at least 32 bytes, for tests"


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    (tmp_path / "catalog.yaml").write_text(text_of(catalog_document()))
    return tmp_path


def write(folder, **more):
    secrets = SETTINGS["secrets"] | more.pop("secrets", {})
    (folder / "extauthz.yaml").write_text(yaml.safe_dump(SETTINGS | more | {"secrets": secrets}))
    (folder / "pepper").write_text(SECRET)


def validate(*options):
    return CliRunner().invoke(application, ["config", "validate", *map(str, options)])


def refused(folder, *said):
    """What is wrong: told by default, and no matter of the text."""
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 2, result.output
    for words in said:
        assert words in result.stderr
    assert SECRET not in result.output
    assert validate("--config", folder / "extauthz.yaml", "--text-only").exit_code == 0
    return result.stderr


def test_right_files_are_told_by_name(folder):
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 0, result.output
    told = [f"{folder / name}: right" for name in ("extauthz.yaml", "catalog.yaml")]
    assert result.stdout.splitlines() == [*told, f"{folder}/extauthz.yaml: all secrets and files are there, and of use"]


def test_a_mistake_in_the_catalog_has_its_place(folder):
    (folder / "catalog.yaml").write_text(text_of(catalog_document(apis=[{"id": "a"}])))
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 2
    assert "apis[0].name" in result.stderr


def test_the_settings_alone_need_no_catalog(folder):
    (folder / "catalog.yaml").unlink()
    assert validate("--config", folder / "extauthz.yaml").exit_code == 2
    assert validate("--config", folder / "extauthz.yaml", "--no-catalog").exit_code == 0


def test_a_catalog_alone_needs_no_settings(folder):
    assert validate("--catalog", folder / "catalog.yaml").exit_code == 0


def test_a_secret_that_is_not_there_is_refused(folder):
    (folder / "pepper").unlink()
    refused(folder, "secrets.pepper")
    assert validate("--config", folder / "extauthz.yaml", "--secrets").exit_code == 2
    (folder / "pepper").write_text("x")
    assert validate("--config", folder / "extauthz.yaml", "--secrets").exit_code == 0


def certificate(folder, name="tls"):
    path, key = CertificateAuthority(folder).certificate(name)
    (folder / f"{name}.crt").write_bytes(path.read_bytes())
    (folder / f"{name}.key").write_bytes(key)


TLS = {"certificate": "tls.crt", "key": "tls.key"}


def test_a_certificate_that_fits_its_key_is_right(folder):
    certificate(folder)
    write(folder, tls=TLS)
    assert validate("--config", folder / "extauthz.yaml").exit_code == 0


def test_a_certificate_that_is_not_there_is_refused(folder):
    write(folder, tls=TLS)
    refused(folder, "tls.crt cannot be read: No such file or directory")


def test_a_key_of_another_certificate_is_refused(folder):
    certificate(folder)
    certificate(folder, "other")
    write(folder, tls=TLS | {"key": "other.key"})
    refused(folder, "other.key is not the key of")


def test_a_file_that_cannot_be_read_is_refused(folder):
    certificate(folder)
    (folder / "folder").mkdir()
    write(folder, tls=TLS | {"key": "folder"})
    refused(folder, "folder cannot be read: Is a directory")


@pytest.mark.parametrize(("days", "ok"), [(-1, False), (1, True)])
def test_a_certificate_that_has_ended_is_refused(folder, days, ok):
    ends_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    key = private_key("ES256", "tls")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "replica")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(ends_at - dt.timedelta(days=9)).not_valid_after(ends_at).sign(key, SHA256())
    (folder / "tls.crt").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write(folder, tls=TLS)
    if ok:
        assert validate("--config", folder / "extauthz.yaml").exit_code == 0
    else:
        refused(folder, "tls.crt: valid from", "not now")


def test_the_authority_of_clients_must_be_one(folder):
    certificate(folder)
    write(folder, tls=TLS | {"client_ca": "pepper", "client_names": ["gateway.example.com"]})
    refused(folder, "pepper has no certificate in PEM")


def test_a_signing_key_that_is_none_is_refused(folder):
    write(folder, backend_jwt={"keys": [{"key": "pepper"}]})
    refused(folder, "backend_jwt.keys[0]")


def test_a_signing_key_of_another_algorithm_is_refused(folder):
    pem = private_key("ES256", "backend").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write(
        folder,
        backend_jwt={"keys": [{"key": "signing", "algorithm": "RS256"}]},
        secrets={"signing": {"file": "signing.pem"}},
    )
    (folder / "signing.pem").write_bytes(pem)
    refused(folder, "backend_jwt.keys[0]")


@pytest.mark.parametrize("section", ["cache", "revocation", "catalog"])
def test_a_short_secret_and_a_missing_authority_of_a_redis_are_refused_without_asking_it(folder, section):
    redis = {"redis": {"url": NOBODY}, "secret": ["pepper"]} | ({} if section == "catalog" else {"backend": "redis"})
    write(folder, **{section: redis})
    assert validate("--config", folder / "extauthz.yaml").exit_code == 0  # nobody answers there, and nobody is asked
    (folder / "pepper").write_text("short")
    refused(folder, section, "32")
    write(folder)
    redis["redis"] = {"url": NOBODY.replace("redis:", "rediss:"), "tls": {"ca_file": "missing.pem"}}
    write(folder, **{section: redis})
    refused(folder, f"{section}.redis.tls", "missing.pem cannot be read")


def test_what_a_key_manager_needs_is_looked_at_for_each_of_them(folder):
    basic = {"username": "u", "password": "pepper"}
    introspection = {"endpoint": "https://two.example.com/introspect", "authentication": {"basic": basic}}
    managers = [
        key_manager(id="one", jwt={"discovery": True, "ca_file": "missing.pem"}),
        key_manager(id="two", issuer="https://two.example.com", introspection=introspection),
    ]
    document = catalog_document(key_managers=managers, applications=[], subscriptions=[])
    (folder / "catalog.yaml").write_text(text_of(document))
    refused(folder, "key manager one: ", "missing.pem cannot be read", "key manager two: secret `pepper` may not be")


def test_what_the_issuer_is_asked_for_is_no_matter(folder):
    """Discovery happens when `serve` starts; nobody answers here."""
    managers = [key_manager(issuer="https://127.0.0.1:1", jwt={"discovery": True})]
    document = catalog_document(key_managers=managers, applications=[], subscriptions=[])
    (folder / "catalog.yaml").write_text(text_of(document))
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 0, result.output


def test_everything_that_is_wrong_is_told_at_once(folder):
    (folder / "catalog.yaml").write_text(text_of(catalog_document(apis=[{"id": "a"}])))
    write(folder, tls=TLS, backend_jwt={"keys": [{"key": "pepper"}]})
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 2
    for words in ("apis[0].name", "tls.crt cannot be read", "backend_jwt.keys[0]"):
        assert words in result.stderr


def test_what_several_workers_cannot_share_is_wrong_for_several_only(folder):
    write(folder, listen="unix:/run/extauthz.sock")
    config = ("--config", folder / "extauthz.yaml")
    assert validate(*config).exit_code == 0
    assert validate(*config, "--workers", 1).exit_code == 0
    for way in ((), ("--text-only",), ("--secrets",)):
        result = validate(*config, "--workers", 2, *way)
        assert (result.exit_code, "several workers cannot share a Unix socket" in result.stderr) == (2, True)
    write(folder)
    assert validate(*config, "--workers", 2).exit_code == 0


def test_programs_read_the_mistakes_with_their_places(folder):
    (folder / "catalog.yaml").write_text(text_of(catalog_document(apis=[{"id": "a"}])))
    result = validate("--config", folder / "extauthz.yaml", "--output", "json")
    told = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (2, "")
    assert told["right"][0] == f"{folder}/extauthz.yaml: right"
    found = {mistake["place"]: mistake for mistake in told["mistakes"]}
    assert found["apis[0].name"]["source"] == f"{folder}/catalog.yaml"
    assert found["apis[0].name"]["line"] > 0
    (folder / "extauthz.yaml").write_text("nonsense: 1")
    told = json.loads(validate("--config", folder / "extauthz.yaml", "--output", "json").stdout)
    assert {mistake["place"] for mistake in told["mistakes"]} == {"catalog", "nonsense"}


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--secrets"],
        ["--text-only"],
        ["--catalog", "c.yaml", "--workers", "2"],
        ["--config", "e.yaml", "--secrets", "--text-only"],
        ["--catalog", "c.yaml", "--config", "e.yaml", "--no-catalog"],
    ],
)
def test_options_that_say_nothing_together_are_bad_input(options):
    assert validate(*options).exit_code == 2
