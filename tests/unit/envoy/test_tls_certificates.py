"""When the server's files are taken over, and what operators hear of it."""

import time

import pytest
from structlog.testing import capture_logs
from support.tls_server import TlsWorld

from extauthz.envoy.tls_certificates import TLS_COMPONENT
from extauthz.envoy.tls_files import TlsFilesError
from extauthz.telemetry.health import Component

DAY = 86_400


@pytest.fixture
def world(tmp_path):
    return TlsWorld(tmp_path)


def state(world):
    return world.health.components[TLS_COMPONENT]


async def test_health_says_until_when_the_certificate_holds(world):
    world.certificates()
    assert state(world).ok
    assert state(world).detail.startswith("the certificate ends at 20")
    assert not state(world).essential


def test_without_files_nothing_begins(world):
    world.files.key.unlink()
    with pytest.raises(TlsFilesError, match=r"tls\.key cannot be read"):
        world.certificates()


async def test_a_problem_is_told_once_and_its_end_as_well(world):
    certificates = world.certificates()
    key = world.files.key.read_bytes()
    with capture_logs() as logs:
        world.files.key.write_bytes(b"")
        await certificates.refresh()
        await certificates.refresh()
        assert not state(world).ok
        assert "tls.key has no private key" in state(world).detail
        assert "the files from before go on" in state(world).detail
        world.files.key.write_bytes(key)
        await certificates.refresh()
        assert state(world).ok
        world.renew()
        await certificates.refresh()
    assert [each["event"] for each in logs] == ["tls_files_refused", "tls_files_changed"]


async def test_a_certificate_that_ends_in_use_is_not_well(world):
    now = [time.time()]
    certificates = world.certificates(clock=lambda: now[0])
    now[0] += 2 * DAY
    await certificates.refresh()
    assert not state(world).ok
    assert "the certificate has ended at" in state(world).detail


async def test_what_the_others_become_leaves_it_alone(world):
    world.certificates()
    before = state(world)
    world.health.become({"cache": Component(ok=True, essential=False)})
    assert dict(world.health.components) == {"cache": Component(ok=True, essential=False), TLS_COMPONENT: before}
