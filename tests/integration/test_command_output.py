"""What commands that write tell programs: `--output json`."""

import asyncio
import json

import pytest
import yaml
from support.catalogs import api, catalog_document, text_of
from support.operator import Operator

pytestmark = pytest.mark.external_service
SECRET = "a secret of at least 32 bytes, for tests"


@pytest.fixture
def operator(tmp_path, valkey):
    redis = {"redis": {"url": valkey.url}, "secret": ["shared"]}
    settings = {"catalog": redis, "revocation": {"backend": "redis", **redis}, "secrets": {"shared": {"env": "SHARED"}}}
    (tmp_path / "extauthz.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "catalog.yaml").write_text(text_of(catalog_document()))
    return Operator(SHARED=SECRET, TOKEN="a.token.of.nobody")


async def told(operator, folder, *command, status=0):
    """The JSON document that a command printed, and nothing else."""
    arguments = (*command, "--config", folder / "extauthz.yaml", "--output", "json")
    ended, out, err = await operator.run(*arguments)
    assert ended == status, err
    return json.loads(out)


async def test_changes_of_a_catalog(tmp_path, operator):
    file = ("--file", tmp_path / "catalog.yaml")
    planned = await told(operator, tmp_path, "catalog", "apply", *file, "--dry-run")
    assert (planned["begins"], planned["written"], planned["revision"]) == (True, False, None)
    begun = await told(operator, tmp_path, "catalog", "apply", *file, "--begin")
    assert (begun["written"], begun["revision"]) == (True, 1)
    assert begun["counts"] == {"create": 4, "change": 0, "remove": 0} == planned["counts"]
    again = await told(operator, tmp_path, "catalog", "diff", *file)
    assert (again["changes"], again["begins"], again["revision"]) == ([], False, 1)
    (tmp_path / "catalog.yaml").write_text(text_of(catalog_document(apis=[api(name="Other")])))
    changed = await told(operator, tmp_path, "catalog", "diff", *file, status=1)
    change = {"change": "change", "kind": "api", "organization": "default", "id": "petstore", "keys": ["name"]}
    assert changed["changes"] == [change]


async def test_revocations(tmp_path, operator):
    file = ("--file", tmp_path / "catalog.yaml")
    await told(operator, tmp_path, "catalog", "apply", *file, "--begin")
    assert await told(operator, tmp_path, "revoke", "--initialize") == {"initialised": True}
    assert await told(operator, tmp_path, "revoke", "--initialize") == {"initialised": False}
    whose = ("revoke", "--key-manager", "km")
    by_client = await told(operator, tmp_path, *whose, "--client", "client", "--issued-until", "1700000000")
    assert (by_client["form"], by_client["value"], by_client["issued_until"]) == ("client", "client", 1700000000.0)
    await asyncio.to_thread((tmp_path / "token").write_text, operator.environment["TOKEN"])
    by_token = await told(operator, tmp_path, *whose, "--token-file", tmp_path / "token")
    assert (by_token["revoked"], by_token["form"], by_token["value"]) == (True, "token", None)
    assert operator.printed_no_secret()
