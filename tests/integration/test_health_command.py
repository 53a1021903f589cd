"""`extauthz health`, as a probe runs it."""

import json
import os

import pytest
from support.operator import Operator
from support.service import running_service

pytestmark = pytest.mark.external_service


async def health(*arguments):
    return await Operator().run("health", *arguments)


async def test_a_replica_that_serves_is_healthy(tmp_path, server):
    async with running_service(tmp_path, server) as service:
        asked = await health("--address", f"127.0.0.1:{service.port}")
        assert asked[:2] == (0, "grpc: SERVING\n")
        asked = await health("--config", tmp_path / "extauthz.yaml", "--readiness", "--output", "json")
        assert asked[0] == 0
        found = json.loads(asked[1])
        assert (found["grpc"], found["ready"], found["components"]["catalog"]["ok"]) == ("SERVING", True, True)


async def test_a_replica_without_a_catalog_is_not(tmp_path, server):
    os.mkfifo(tmp_path / "pipe.yaml")
    settings = {"catalog": {"file": "pipe.yaml"}}
    async with running_service(tmp_path, server, settings=settings, wait_for="/healthz") as service:
        asked = await health("--address", f"127.0.0.1:{service.port}")
        assert asked[:2] == (1, "grpc: NOT_SERVING\n")
        asked = await health("--operations", f"127.0.0.1:{service.operations_port}", "--readiness")
        assert asked[0] == 1
        assert "readyz: not ready" in asked[1]
        assert "catalog: failed" in asked[1]


@pytest.mark.parametrize("option", ["--address", "--operations"])
async def test_nobody_who_answers_is_a_status_of_its_own(option):
    asked = await health(option, "127.0.0.1:1")
    assert asked[:2] == (3, "")
    assert "gives no answer" in asked[2]


@pytest.mark.parametrize(
    "arguments", [[], ["--readiness", "--address", "127.0.0.1:1"], ["--address", "x"], ["--config", "missing.yaml"]]
)
async def test_without_a_place_to_ask_it_is_bad_input(arguments):
    assert (await health(*arguments))[0] == 2
