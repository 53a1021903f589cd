"""Shadow mode is said aloud: at once, when it changes, and each minute."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from support.authorization_server import AuthorizationServer
from support.catalogs import api, contents
from support.deciding import deciding, key_manager_of

from extauthz.data_plane.shadow import SHADOW_COMPONENT, ShadowWatch
from extauthz.telemetry.health import Health


@pytest.fixture
async def updates(server):
    async with deciding(server) as world:
        yield world.updates


@pytest.fixture
def take(server, updates):
    async def over(*apis):
        await updates.accept(contents(Path(), apis=list(apis), key_managers=[key_manager_of(server)], subscriptions=[]))

    return over


def health():
    return Health(dispensable={SHADOW_COMPONENT})


def said(watch, now):
    with capture_logs() as logs:
        watch.tell(now)
    return [(line["event"], line.get("named")) for line in logs if line["log_level"] == "warning"]


def read(watch):
    return {reading.name: reading.read() for reading in watch.readings()}


async def test_an_api_in_shadow_is_named_at_once_and_again_each_minute(updates, take):
    await take(api(shadow=True), api(id="other", context="/other"))
    watch = ShadowWatch(updates, health(), everywhere=False)
    assert said(watch, 0) == [("shadow_mode", ("petstore",))]
    assert said(watch, 59.9) == []
    assert said(watch, 60) == [("shadow_mode", ("petstore",))]
    assert read(watch) == {"extauthz_shadow_everywhere": {(): 0.0}, "extauthz_shadow_apis": {(): 1.0}}


async def test_each_change_is_said_at_once_and_the_end_once(updates, take):
    await take(api())
    found = health()
    watch = ShadowWatch(updates, found, everywhere=False)
    assert said(watch, 0) == []
    assert found.components[SHADOW_COMPONENT].detail == "refusals are enforced"
    await take(api(shadow=True))
    assert said(watch, 1) == [("shadow_mode", ("petstore",))]
    assert found.components[SHADOW_COMPONENT].detail == "SHADOW MODE: refusals of 1 APIs are not enforced"
    await take(api())
    assert said(watch, 2) == [("shadow_mode_ended", None)]
    assert said(watch, 100) == []


async def test_everywhere_is_said_before_there_is_a_catalog():
    async with AuthorizationServer() as server, deciding(server) as world:
        found = health()
        watch = ShadowWatch(world.updates, found, everywhere=True)
        assert said(watch, 0)[0][0] == "shadow_mode"
        assert found.components[SHADOW_COMPONENT].ok
        assert found.components[SHADOW_COMPONENT].detail == "SHADOW MODE: no refusal is enforced"
        assert read(watch)["extauthz_shadow_everywhere"] == {(): 1.0}


async def test_it_looks_until_it_is_cancelled(updates):
    looks = asyncio.Semaphore(0)

    async def sleep(_seconds):
        looks.release()
        await asyncio.sleep(0)

    with capture_logs() as logs:
        watching = asyncio.create_task(
            ShadowWatch(updates, health(), everywhere=True).watch(monotonic=lambda: 0.0, sleep=sleep)
        )
        for _ in range(3):
            await looks.acquire()
        watching.cancel()
    assert [line["event"] for line in logs].count("shadow_mode") == 1
