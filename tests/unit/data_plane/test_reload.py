"""New settings are in force as a whole, or not at all."""

import asyncio
import json
from http import HTTPStatus

import aiohttp
import pytest
from structlog.testing import capture_logs
from support.authorization_server import Misbehaviour
from support.check_client import OVERWRITES, allowed, denied, status_of
from support.decisions import GOOD
from support.reloading import OPERATOR_TOKEN, files_of, reloading

from extauthz.operations.server import OperationsServer

pytestmark = OVERWRITES
FAULT = {"format": "fault"}


@pytest.fixture
def files(tmp_path, server):
    return files_of(tmp_path, server)


@pytest.fixture
async def world(files):
    async with reloading(files) as running:
        yield running


async def form(world):
    """The outermost member of a refusal's body: it shows `errors.format`."""
    (member, *_) = json.loads(denied(await world.check()).body)
    return member


async def test_new_settings_are_in_force_at_once(world):
    assert await form(world) == "code"
    world.files.write(errors=FAULT)
    with capture_logs() as logs:
        await world.reload.refresh()
    assert await form(world) == "fault"
    assert (world.component.ok, world.component.detail) == (True, "applied")
    assert world.lasting.reloads == {"applied": 1, "refused": 0}
    assert [line["event"] for line in logs if line["event"].startswith("settings")] == ["settings_applied"]


async def test_what_has_not_changed_is_read_only_if_somebody_asks(world):
    await world.reload.refresh()
    assert world.lasting.reloads["applied"] == 0
    world.asked.set()
    await world.reload.refresh()
    await world.reload.refresh()
    assert world.lasting.reloads["applied"] == 1


async def test_it_follows_without_being_called(world):
    following = asyncio.create_task(world.reload.follow())
    applied = asyncio.Event()
    world.lasting.health.subscribe(lambda _: applied.set() if world.component.detail == "applied" else None)
    world.files.write(errors=FAULT)
    world.asked.set()
    await applied.wait()
    following.cancel()
    assert await form(world) == "fault"


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"errors": {"format": "jazz"}}, "errors.format"),
        ({"secrets": {"gateway": {"file": "nowhere"}, "operator": {"file": "operator"}}}, "nowhere"),
        ({"catalog": {"file": "nowhere.yaml"}}, "nowhere.yaml"),
        ({"extensions": {"authorizers": [{"name": "nobody"}]}}, "nobody"),
        ({"operations": {"token": "gateway"}}, "32 bytes"),
    ],
)
async def test_settings_that_cannot_be_used_change_nothing(world, sections, problem):
    world.files.write(**{"errors": FAULT} | sections)
    with capture_logs() as logs:
        await world.reload.refresh()
        await world.reload.refresh()
    (refused,) = [line for line in logs if line["event"] == "settings_refused"]
    assert problem in refused["problem"]
    assert await form(world) == "code"
    assert world.lasting.health.ready
    assert not world.component.ok
    assert world.lasting.reloads == {"applied": 0, "refused": 1}
    for secret in (world.files.server.client_secret, OPERATOR_TOKEN):
        assert secret not in str(logs)


async def test_after_a_mistake_the_right_ones_are_taken(world):
    world.files.config.write_text("errors: [")
    await world.reload.refresh()
    assert not world.component.ok
    world.files.write(errors=FAULT)
    await world.reload.refresh()
    assert world.component.ok
    assert await form(world) == "fault"


async def test_what_was_missing_is_noticed_when_it_comes(world):
    """Neither the new secret nor the catalog is of the settings in force."""
    secrets = world.files.document["secrets"] | {"next": {"file": "next"}}
    world.files.write(errors=FAULT, secrets=secrets, catalog={"file": "next.yaml"})
    await world.reload.refresh()
    world.files.write_secret("next", "value")
    await world.reload.refresh()
    assert world.lasting.reloads["refused"] == 2
    (world.files.folder / "next.yaml").write_text((world.files.folder / "catalog.yaml").read_text())
    await world.reload.refresh()
    assert await form(world) == "fault"


async def test_settings_whose_redis_does_not_answer_are_tried_again_and_told_once(world):
    secrets = world.files.document["secrets"] | {"revocation": {"file": "operator"}}
    redis = {"backend": "redis", "secret": ["revocation"], "redis": {"url": "redis://127.0.0.1:9"}}
    world.files.write(errors=FAULT, secrets=secrets, revocation=redis, reload={"ready_seconds": 0.01})
    with capture_logs() as logs:
        await world.reload.refresh()
        await world.reload.refresh()
    (refused,) = [line for line in logs if line["event"] == "settings_refused"]
    assert "revocations" in refused["problem"]
    assert world.lasting.reloads["refused"] == 2
    assert await form(world) == "code"
    assert world.lasting.health.ready


async def test_a_secret_that_changed_is_taken(world, server):
    allowed(await world.check(server.issue_opaque(**GOOD)))
    world.files.write_secret("gateway", "no longer right")
    await world.reload.refresh()
    assert status_of(await world.check(server.issue_opaque(**GOOD))) == 503


async def test_files_that_a_link_leads_to_are_taken_when_it_leads_elsewhere(files):
    """As Kubernetes mounts ConfigMaps and Secrets."""
    folder, data = files.folder, files.folder / "..data"
    old, new = folder / "..one", folder / "..two"
    for place in (old, new):
        place.mkdir()
        (place / "extauthz.yaml").write_text(files.config.read_text())
    (new / "extauthz.yaml").write_text(files.config.read_text() + "errors: {format: fault}\n")
    data.symlink_to(old)
    files.config.unlink()
    files.config.symlink_to("..data/extauthz.yaml")
    async with reloading(files) as world:
        await world.reload.refresh()
        assert await form(world) == "code"
        (swap := folder / "..tmp").symlink_to(new)
        swap.replace(data)
        await world.reload.refresh()
        assert await form(world) == "fault"


async def test_a_check_ends_with_the_settings_that_it_began_with(world, server):
    """Its key manager has not answered yet when others come to serve; nothing that it needs is closed."""
    server.introspection.misbehave(Misbehaviour.HANG)
    slow = asyncio.create_task(world.check(server.issue_opaque(**GOOD, sub="slow")))
    bad = asyncio.create_task(world.check("unknown"))
    await server.introspection.called(2)
    world.files.write(errors=FAULT)
    await world.reload.refresh()
    assert await form(world) == "fault"
    allowed(await world.check(server.issue_jwt(**GOOD)))  # time enough to close what was before
    await server.introspection.behave()
    allowed(await slow)
    assert next(iter(json.loads(denied(await bad).body))) == "code"


async def test_known_tokens_stay_known_while_the_settings_of_the_cache_do(world, server):
    token = server.issue_opaque(**GOOD)
    allowed(await world.check(token))
    world.files.write(errors=FAULT)
    await world.reload.refresh()
    allowed(await world.check(token))
    assert server.introspection.calls == 1
    world.files.write(errors=FAULT, cache={"introspection": {"ttl_seconds": 10}})
    await world.reload.refresh()
    allowed(await world.check(token))
    assert server.introspection.calls == 2


@pytest.fixture
async def operator(world):
    operations = OperationsServer(world.switch, host="127.0.0.1", port=0)
    port = await operations.start()
    headers = {"authorization": f"Bearer {OPERATOR_TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client:
        yield client
    await operations.stop()


async def test_what_was_revoked_in_memory_stays_revoked(world, server, operator):
    token = server.issue_jwt(**GOOD)
    allowed(await world.check(token))
    async with operator.post("/revocations", json={"key_manager": "km", "token": token}) as answer:
        assert answer.status < HTTPStatus.BAD_REQUEST
    assert status_of(await world.check(token)) == HTTPStatus.UNAUTHORIZED
    world.files.write(errors=FAULT, cache={"jwt": {"ttl_seconds": 10}})
    await world.reload.refresh()
    assert status_of(await world.check(token)) == HTTPStatus.UNAUTHORIZED


async def test_pages_for_operators_are_those_of_the_new_settings_and_metrics_go_on(world, operator):
    await world.check()
    world.files.write(errors=FAULT)
    await world.reload.refresh()
    await world.check()
    async with operator.get("/config") as answer:
        assert (await answer.json())["errors"]["format"] == "fault"
    async with operator.get("/metrics") as answer:
        page = await answer.text()
    assert 'reason="missing_credentials"} 2.0' in page.replace(',api="petstore",key_manager=""', "")
    assert 'extauthz_settings_reloads_total{result="applied"} 1.0' in page


async def test_what_needs_a_restart_is_told_and_the_rest_applied(world):
    world.files.write(listen="127.0.0.1:1", errors=FAULT, dpop={"replay_entries": 5}, metrics={"apis": 5})
    with capture_logs() as logs:
        await world.reload.refresh()
    (told,) = [line for line in logs if line["event"] == "settings_need_restart"]
    assert told["names"] == ("listen", "metrics", "dpop.replay_entries")
    assert world.component.detail == "a restart is needed for listen, metrics, dpop.replay_entries"
    assert await form(world) == "fault"


async def test_components_are_those_of_the_new_settings(world):
    assert "dpop replay memory" not in world.lasting.health.components
    world.files.write(dpop={})
    await world.reload.refresh()
    assert world.lasting.health.components["dpop replay memory"].ok


async def test_the_catalog_is_followed_by_whoever_serves(world):
    """The catalog of the settings from before can go: nobody reads it any more."""
    (world.files.folder / "next.yaml").write_text((world.files.folder / "catalog.yaml").read_text())
    world.files.write(catalog={"file": "next.yaml", "reload_seconds": 0.01})
    await world.reload.refresh()
    (world.files.folder / "catalog.yaml").unlink()
    changed = asyncio.Event()
    world.lasting.health.subscribe(lambda now: changed.set() if not now.components["catalog_source"].ok else None)
    (world.files.folder / "next.yaml").write_text("apis: 5")
    await changed.wait()
    assert world.lasting.health.ready
