"""How commands end: the table of docs/command-line.md, and runs that end with each status that it has."""

import json
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from support.catalogs import api, catalog_document, text_of
from support.operator import Operator
from support.valkey import ValkeyServer

pytestmark = pytest.mark.external_service
PAGE = Path(__file__).parents[2] / "docs/command-line.md"
SECRET = "a secret of at least 32 bytes, for tests"
KEY = "xk_" + "A" * 43
OTHER = "every other command"
CASES = """
0 catalog apply --file catalog.yaml --config shared.yaml --begin
0 catalog apply --file catalog.yaml --config shared.yaml --dry-run
1 catalog apply --file catalog.yaml --config nobody.yaml
2 catalog apply --file missing.yaml --config shared.yaml
2 catalog apply --file catalog.yaml --config ok.yaml
2 catalog apply --file catalog.yaml --config shared.yaml --allow-empty
0 catalog diff --file catalog.yaml --config shared.yaml
1 catalog diff --file other.yaml --config shared.yaml
2 catalog diff --file catalog.yaml --config nobody.yaml
2 catalog diff --file catalog.yaml --config no-secret.yaml
2 catalog diff --file shared.yaml --config shared.yaml
0 catalog export --config shared.yaml
0 catalog export --config shared.yaml --output-file exported.yaml
1 catalog export --config nobody.yaml
1 catalog export --config other-secret.yaml
2 catalog export --config shared.yaml --output-file missing/exported.yaml
2 catalog export --config shared.yaml --output-file folder
2 catalog export --config shared.yaml --output json
2 catalog nonsense
0 check --config ok.yaml --url https://host/petstore/v1/about
0 check --config ok.yaml --file as-expected.yaml
0 check --config ok.yaml --file as-expected.yaml --output json
1 check --config ok.yaml --url https://host/petstore/v1/pets --explain
1 check --config ok.yaml --file not-as-expected.yaml
2 check --config ok.yaml --url nonsense
2 check --config ok.yaml --url http://host:99999/
2 check --config ok.yaml --url http://host/ --method NO/METHOD
2 check --config ok.yaml --url http://host/ --header no/name:x
2 check --config ok.yaml --url http://host/ --peer-address nobody
2 check --config ok.yaml --url http://host/ --token never-shown
2 check --config ok.yaml --url http://host/ --header authorization:never-shown
2 check --config ok.yaml --url http://host/ --token env:NOT_SET
2 check --config ok.yaml --url http://host/ --certificate ok.yaml
2 check --config ok.yaml --url http://host/ --ca ok.yaml
2 check --config ok.yaml --file as-expected.yaml --token env:TOKEN
2 check --config ok.yaml --file ok.yaml
2 check --config no-secret.yaml --url http://host/
2 check --config missing.yaml --url http://host/
2 check --config nul.yaml --url http://host/
2 check --address nonsense --url http://host/
2 check --url http://host/
3 check --config nobody.yaml --url http://host/ --timeout 0.3
3 check --address 127.0.0.1:1 --url http://host/
3 check --address unix:/missing.sock --file as-expected.yaml
0 health --operations SERVING
1 health --operations LEAVING
2 health
2 health --operations nonsense
2 health --address nonsense
2 health --config folder
3 health --operations 127.0.0.1:1
3 health --config ok.yaml
0 config validate --config ok.yaml
2 config validate --config no-secret.yaml
2 config validate --config no-yaml.yaml
0 config validate --config ok.yaml --workers 2
2 config validate --config ok.yaml --workers 0
2 config validate
2 config validate --config nul.yaml
0 config schema
0 config reference --catalog
0 config show --config ok.yaml
2 config show --config binary.yaml
0 config convert empty.conf --output-dir converted
2 config convert empty.conf --output-dir converted
2 config convert empty.conf --output-dir ok.yaml
2 config convert catalog.yaml
0 envoy-config --config ok.yaml --output json
2 envoy-config --config ok.yaml --catalog missing.yaml
2 envoy-config --config ok.yaml --address nonsense
0 revoke --config shared.yaml --initialize
0 revoke --config shared.yaml --key-manager km --jti one
1 revoke --config nobody.yaml --initialize
2 revoke --config ok.yaml --initialize
2 revoke --config shared.yaml --key-manager km --token-file missing
2 revoke --config shared.yaml --key-manager km --token-file folder
2 revoke --config shared.yaml --key-manager nobody --jti one
2 revoke --config shared.yaml --key-manager km --client c --issued-until yesterday
0 api-key create --config shared.yaml --id partner --application app --output json
2 api-key create --config shared.yaml --id no/id --application app
2 api-key create --config ok.yaml --id partner --application app
0 api-key hash --config shared.yaml
2 api-key hash --config missing.yaml
0 resident secret --output json
2 resident --config missing.yaml
2 resident --config ok.yaml
2 demo --envoy missing
2 nonsense
2 config validate --no-such-option
"""
UNREADY = {"status": "unready", "components": {"catalog": {"ok": False, "detail": "no catalog yet"}}}


def column(words):
    name = " ".join(words[:2]) if words[0] == "catalog" else words[0]
    return name if name in {"check", "health", "catalog diff"} else OTHER


def documented():
    """Column and status of each cell that says something."""
    section = PAGE.read_text(encoding="utf-8").split("## Exit statuses")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return {(name, int(row[0])) for row in rows for name, said in zip(header[1:], row[1:], strict=True) if said}


def cases():
    return [(int(line[0]), line[2:].split()) for line in CASES.strip().splitlines()]


def test_each_status_of_the_page_has_a_run_and_no_run_has_another():
    assert {(column(words), ends) for ends, words in cases()} == documented()


@pytest.fixture
async def world(tmp_path, monkeypatch):
    """A folder with files of all kinds, a Redis, and an operator there."""
    valkey = ValkeyServer()
    await valkey.start()
    fill(tmp_path, valkey.url)
    monkeypatch.chdir(tmp_path)
    yield Operator(SHARED=SECRET, OTHER=f"{SECRET}, which are others", TOKEN="never-shown")
    await valkey.close()


def fill(folder, url):
    def shared(url, secret):
        redis = {"redis": {"url": url}, "secret": ["shared"]}
        return {
            "catalog": redis,
            "revocation": {"backend": "redis", **redis},
            "api_keys": {"secret": ["shared"]},
            "secrets": {"shared": {"env": secret}},
        }

    def expecting(decision):
        request = {"url": "https://host/petstore/v1/about"}
        return {"cases": [{"name": "about", "request": request, "expect": {"decision": decision}}]}

    unused = {"listen": "127.0.0.1:1", "operations": {"listen": "127.0.0.1:1"}}
    documents = {
        "ok": unused | {"catalog": {"file": "catalog.yaml"}},
        "shared": shared(url, "SHARED"),
        "nobody": shared("redis://127.0.0.1:1/0", "SHARED"),
        "no-secret": shared(url, "NOT_SET"),
        "other-secret": shared(url, "OTHER"),
        "nul": unused | {"catalog": {"file": "a\0b"}},
        "as-expected": expecting("allow"),
        "not-as-expected": expecting("deny"),
    }
    for name, document in documents.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document))
    (folder / "catalog.yaml").write_text(text_of(catalog_document()))
    (folder / "other.yaml").write_text(text_of(catalog_document(apis=[api(name="Other")])))
    (folder / "no-yaml.yaml").write_text("a: [")
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "empty.conf").write_text("")
    (folder / "folder").mkdir()


async def readyz(status, document):
    """The page of a replica; its server and address."""
    app = web.Application()

    async def page(_request):
        return web.json_response(document, status=status)

    app.router.add_get("/readyz", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"127.0.0.1:{runner.addresses[0][1]}"


async def test_every_run_ends_as_the_page_says_and_says_why_in_the_right_place(world):
    serving, leaving = await readyz(200, {"components": {}}), await readyz(503, UNREADY)
    places = {"SERVING": serving[1], "LEAVING": leaving[1]}
    wrong = {}
    for ends, words in cases():
        arguments = [places.get(word, word) for word in words]
        ended, out, err = await world.run(*arguments, given=KEY.encode())
        if problem := _problem(ends, words, ended, out, err):
            wrong[" ".join(words)] = (problem, ended, out, err)
    for runner, _ in (serving, leaving):
        await runner.cleanup()
    assert wrong == {}
    assert world.printed_no_secret()


def _problem(ends, words, ended, out, err):
    """What is wrong with the end of a run."""
    answers = ends == 0 or (ends == 1 and column(words) != OTHER)
    if ended != ends:
        return "status"
    if answers:
        if "json" in words:
            json.loads(out)
        return "says nothing" if not out and words[:2] != ["catalog", "export"] else ""
    if out and words[:2] != ["config", "validate"]:  # which says as well what is right
        return "standard output"
    if "Traceback" in err or "Error:" in err or not err.strip():
        return "standard error"
    return ""


async def test_serve_says_that_its_port_is_taken(world, tmp_path):
    runner, address = await readyz(200, {})
    settings = {"catalog": {"file": "catalog.yaml"}, "listen": "127.0.0.1:0", "operations": {"listen": address}}
    (tmp_path / "taken.yaml").write_text(yaml.safe_dump(settings))
    ended, out, err = await world.run_apart("serve", "--config", tmp_path / "taken.yaml")
    await runner.cleanup()
    assert (ended, out) == (1, "")
    assert err.splitlines()[-1].startswith(f"extauthz: cannot listen on {address}: ")


async def test_a_key_manager_is_not_said_to_be_unknown_where_the_catalog_cannot_be_trusted(world):
    file = ("--file", "catalog.yaml")
    assert (await world.run("catalog", "apply", *file, "--config", "shared.yaml", "--begin"))[0] == 0
    assert (await world.run("revoke", "--config", "other-secret.yaml", "--initialize"))[0] == 0
    _, _, err = await world.run("revoke", "--config", "other-secret.yaml", "--key-manager", "km", "--jti", "one")
    assert "was not looked up" in err
    assert "known:" not in err


async def test_a_redis_that_refuses_us_is_told_in_one_line(world, tmp_path):
    settings = yaml.safe_load((tmp_path / "shared.yaml").read_text())
    settings["catalog"]["redis"] |= {"username": "nobody", "password": "shared"}
    (tmp_path / "refused.yaml").write_text(yaml.safe_dump(settings))
    status, out, err = await world.run("catalog", "apply", "--file", "catalog.yaml", "--config", "refused.yaml")
    assert (status, out) == (1, "")
    assert err.splitlines() == ["extauthz: catalog: redis refuses the connection for EVAL (WRONGPASS)"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"tls": {"certificate": "missing.crt", "key": "missing.key"}}, "missing.crt cannot be read"),
        ({"secrets": {"unused": {"env": "NOT_SET"}}}, "secrets.unused"),
        ({"secrets": {"s": {"file": "empty.yaml"}}, "backend_jwt": {"keys": [{"key": "s"}]}}, "backend_jwt.keys[0]"),
    ],
    ids=["certificate", "secret", "signing key"],
)
async def test_what_serve_refuses_validate_refuses_in_the_same_words(world, tmp_path, more, told):
    (tmp_path / "empty.yaml").write_text("no key")
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump({"catalog": {"file": "catalog.yaml"}} | more))
    served = await world.run_apart("serve", "--config", tmp_path / "broken.yaml")
    validated = await world.run("config", "validate", "--config", tmp_path / "broken.yaml")
    assert (served[0], validated[0]) == (2, 2)
    assert told in served[2]
    assert set(validated[2].splitlines()) <= set(served[2].splitlines())
