"""What several processes cannot serve by as if they were one, and what they hold on to."""

import asyncio
import socket
from pathlib import Path

import pytest

from extauthz.data_plane.restart import as_at_start, need_restart
from extauthz.data_plane.sharing import Sharing, ensure_shareable, shared_addresses
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.settings.process import Settings

REDIS = "{backend: redis, secret: [s], redis: {url: 'redis://127.0.0.1:1/0'}}"
SECRETS = "secrets: {s: {env: S}}\n"
NOTIFIED = "notifications: {key_manager: km, username: wso2, password: s}"


def settings(text=""):
    return loads(f"catalog: {{file: catalog.yaml}}\n{SECRETS}{text}", Settings, "settings")


@pytest.fixture
def lines():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def sharing(at_start, lines):
    return Sharing(number=1, operations=Path("1.sock"), at_start=at_start, supervisor=lines[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listen: unix:/run/e.sock", "listen: several workers cannot share a Unix socket"),
        ("listen: 127.0.0.1:0", "listen: each of several workers would get a port of its own"),
        ("http_check: {listen: '[::1]:0', proxy: nginx}", "http_check.listen: each of several"),
        ("operations: {token: s}", "revocation.backend: with `memory`, a revocation would reach one"),
        (f"revocation: {{{NOTIFIED}}}", "revocation.backend: with `memory`, a revocation would reach one"),
        ("dpop: {}", "cache.backend: with `memory`, a DPoP proof would count once for each"),
    ],
)
def test_what_cannot_be_shared_is_refused(text, said):
    with pytest.raises(DocumentError) as refused:
        ensure_shareable(settings(text))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "operations: {listen: '127.0.0.1:0'}",
        "revocation: {notifications: {key_manager: km}}",
        f"operations: {{token: s}}\nrevocation: {REDIS}",
        f"dpop: {{}}\ncache: {REDIS}",
    ],
)
def test_the_rest_can(text):
    ensure_shareable(settings(text))


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(DocumentError) as refused:
        ensure_shareable(settings("listen: unix:/run/e.sock\noperations: {token: s}\ndpop: {}"))
    assert len(refused.value.mistakes) == 3


def test_the_addresses_are_those_for_checks():
    text = "listen: '[::1]:1'\nhttp_check: {listen: 'localhost:2', proxy: nginx}"
    assert shared_addresses(settings(text)) == [("::1", 1), ("localhost", 2)]


def test_one_that_comes_later_is_as_the_others_are(lines):
    """Else it would listen elsewhere, or in the clear where they speak TLS."""
    first = settings("listen: 127.0.0.1:1\nmetrics: {apis: 5}\n")
    later = settings(
        "listen: 127.0.0.1:2\ntls: {certificate: c, key: k}\ngrpc: {reflection: true}\nmetrics: {apis: 7}\n"
        f"operations: {{listen: '127.0.0.1:3', token: s}}\nhttp_check: {{proxy: nginx}}\nrevocation: {REDIS}\n"
        f"cache: {REDIS}\ndpop: {{replay_entries: 9, max_age_seconds: 30}}\nerrors: {{realm: later}}"
    )
    joined = sharing(first, lines).joined(later)
    assert need_restart(first, joined) == ()
    assert (joined.listen, joined.tls, joined.http_check) == ("127.0.0.1:1", None, None)
    assert (joined.errors.realm, joined.operations.token, joined.dpop.max_age_seconds) == ("later", "s", 30)
    assert as_at_start(later, first).operations.listen == "127.0.0.1:3"
    assert as_at_start(later, first).dpop is None


def test_one_that_comes_later_takes_nothing_that_cannot_be_shared(lines):
    with pytest.raises(DocumentError, match=r"revocation\.backend"):
        sharing(settings(), lines).joined(settings("operations: {token: s}"))


async def test_it_stops_when_the_supervisor_is_gone(lines):
    stop, (_, theirs) = asyncio.Event(), lines
    joined = sharing(settings(), lines)
    joined.stop_without_supervisor(stop)
    joined.tell_listening()
    assert await asyncio.to_thread(theirs.recv, 8) == b"\n"
    assert not stop.is_set()
    theirs.close()
    await stop.wait()
