"""Revocations over HTTP: who may, in which forms, and what is told back."""

import asyncio
import base64
import contextlib
import json

import aiohttp
import pytest
from starlette.applications import Starlette

from extauthz.model.errors import Unavailable
from extauthz.operations.credentials import BasicCredentials, BearerSecret
from extauthz.operations.notification import NotificationSource
from extauthz.operations.revocations import MAX_BODY_BYTES, RevocationEndpoints
from extauthz.operations.server import OperationsServer
from extauthz.revocation.revocation import Revocation, RevocationForm

NOW = 1_700_000_000.0
SECRET = "s" * 32
BEARER = {"Authorization": f"Bearer {SECRET}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"admin:pass:word").decode()}
SOURCE = NotificationSource(organization="org", key_manager="wso2")
NOTIFY = "/internal/data/v1/notify"


class Revoked:
    """Takes revocations, or says that it cannot."""

    def __init__(self):
        self.taken = []
        self.away = False

    async def __call__(self, revocations):
        if self.away:
            raise Unavailable("revocations", "redis does not answer")
        self.taken += revocations


@pytest.fixture
def revoked():
    return Revoked()


@contextlib.asynccontextmanager
async def serving(revoked, *, source=SOURCE, operator=True, notifier=True):
    endpoints = RevocationEndpoints(revoked, source=source, clock=lambda: NOW)
    routes = endpoints.routes(
        operator=BearerSecret(SECRET.encode()) if operator else None,
        notifier=BasicCredentials("admin", b"pass:word") if notifier else None,
    )
    server = OperationsServer(Starlette(routes=routes), host="127.0.0.1", port=0)
    port = await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await server.stop()


@pytest.fixture
async def client(revoked):
    async with serving(revoked) as running:
        yield running


async def post(client, body, path="/revocations", headers=BEARER):
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    async with client.post(path, data=content, headers=headers) as response:
        return response.status, await response.text()


OURS = [
    (
        {"key_manager": "km", "token": "opaque"},
        Revocation(key_manager="km", form=RevocationForm.TOKEN, value="opaque"),
    ),
    (
        {"organization": "org", "key_manager": "km", "jti": "id", "expires_at": NOW + 10},
        Revocation(organization="org", key_manager="km", form=RevocationForm.TOKEN_ID, value="id", expires_at=NOW + 10),
    ),
    (
        {"key_manager": "km", "client_id": "client"},
        Revocation(key_manager="km", form=RevocationForm.CLIENT, value="client", issued_until=NOW),
    ),
    (
        {"key_manager": "km", "subject": "alice", "issued_until": 17},
        Revocation(key_manager="km", form=RevocationForm.SUBJECT, value="alice", issued_until=17.0),
    ),
]


@pytest.mark.parametrize(("body", "revocation"), OURS)
async def test_an_operator_revokes_in_each_form(client, revoked, body, revocation):
    assert await post(client, body) == (204, "")
    assert revoked.taken == [revocation]


def of_wso2(form, value, **times):
    return Revocation(organization="org", key_manager="wso2", form=form, value=value, **times)


EVENT = {"eventId": "e", "timeStamp": 1_690_000_000_000, "tenantId": -1234, "tenantDomain": "carbon.super"}
TOKEN_EVENT = {
    "type": "token_revocation",
    "accessToken": "4711",
    "expiryTime": 1_700_000_100_500,
    "user": "alice",
    "consumerKey": "client",
    "tokenType": "JWT",
}
NOTIFICATIONS = [
    (
        TOKEN_EVENT,
        [
            of_wso2(RevocationForm.TOKEN_ID, "4711", expires_at=1_700_000_100.5),
            of_wso2(RevocationForm.TOKEN, "4711", expires_at=1_700_000_100.5),
        ],
    ),
    (
        TOKEN_EVENT | {"expiryTime": 9_223_372_036_854_775_807},
        [of_wso2(RevocationForm.TOKEN_ID, "4711"), of_wso2(RevocationForm.TOKEN, "4711")],
    ),
    *(
        (
            TOKEN_EVENT | {"expiryTime": end},
            [of_wso2(RevocationForm.TOKEN_ID, "4711"), of_wso2(RevocationForm.TOKEN, "4711")],
        )
        for end in (
            -1,
            0,
            1_700_000_100,
            1_699_999_999_000,
            1_700_000_001_000,
            1_700_000_100_000_000,
            9_000_000_000_000,
        )
    ),
    (
        {"type": "consumer_app_revocation_event", "consumerKey": "client", "revocationTime": 1_695_000_000_250},
        [of_wso2(RevocationForm.CLIENT, "client", issued_until=1_695_000_000.25)],
    ),
    (
        {"type": "consumer_app_revocation_event", "consumerKey": "client", "revocationTime": 0},
        [of_wso2(RevocationForm.CLIENT, "client", issued_until=1_690_000_000.0)],
    ),
    (
        {"type": "consumer_app_revocation_event", "consumerKey": "client", "timeStamp": 0},
        [of_wso2(RevocationForm.CLIENT, "client", issued_until=NOW)],
    ),
    (
        {
            "type": "subject_entity_revocation_event",
            "entityId": "user-1",
            "entityType": "USER_ID",
            "revocationTime": 1_695_000_000_000,
        },
        [of_wso2(RevocationForm.SUBJECT, "user-1", issued_until=1_695_000_000.0)],
    ),
    (
        {
            "type": "subject_entity_revocation_event",
            "entityId": "client",
            "entityType": "CLIENT_ID",
            "revocationTime": 1_695_000_000_000,
        },
        [of_wso2(RevocationForm.CLIENT, "client", issued_until=1_695_000_000.0)],
    ),
]


@pytest.mark.parametrize(("body", "revocations"), NOTIFICATIONS)
@pytest.mark.parametrize(("path", "headers"), [("/revocations", BEARER), (NOTIFY, BASIC)])
async def test_each_notification_of_wso2_is_understood(client, revoked, body, revocations, path, headers):
    headers = headers | {"X-WSO2-KEY-MANAGER": "WSO2-IS"}
    assert await post(client, EVENT | body, path, headers) == (204, "")
    assert revoked.taken == revocations


BAD = [
    ("", "JSON object"),
    ("[]", "JSON object"),
    (b"\xff", "JSON object"),
    ('{"key_manager": "km", "key_manager": "other", "jti": "a"}', "duplicate"),
    ({"key_manager": "km"}, "exactly one of `token`, `jti`, `client_id`, `subject`"),
    ({"key_manager": "km", "jti": "a", "token": "b"}, "exactly one of"),
    ({"jti": "a"}, "key_manager: Field required"),
    ({"key_manager": "", "jti": "a"}, "key_manager: String should have at least 1"),
    ({"key_manager": "km", "jti": 4711}, "jti: Input should be a valid string"),
    ({"key_manager": "km", "jti": "a", "exp": 1}, "exp: Extra inputs"),
    ({"key_manager": "km", "jti": "a", "expires_at": "soon"}, "expires_at: Input should be a valid number"),
    ({"key_manager": "km", "jti": "a", "expires_at": 1.7e12}, "expires_at: Input should be less than"),
    ({"key_manager": "km", "jti": "a", "expires_at": NOW - 1}, "expires_at: is in the past"),
    ({"key_manager": "km", "token": "a", "expires_at": 0}, "expires_at: is in the past"),
    ({"key_manager": "km", "jti": "a", "issued_until": 1}, "`issued_until` belongs to"),
    ({"key_manager": "km", "subject": "a", "expires_at": 1}, "`expires_at` belongs to"),
    ({"type": "tenant_created"}, "type: must be one of consumer_app_revocation_event, "),
    ({"type": 4711}, "type: must be one of"),
    ({"type": "token_revocation"}, "accessToken: Field required"),
    ({"type": "token_revocation", "accessToken": "a", "expiryTime": "soon"}, "expiryTime: Input should be"),
    ({"type": "consumer_app_revocation_event"}, "consumerKey: Field required"),
    (
        {"type": "subject_entity_revocation_event", "entityId": "a", "entityType": "GROUP"},
        "entityType: Input should be 'USER_ID' or 'CLIENT_ID'",
    ),
]


@pytest.mark.parametrize(("body", "told"), BAD)
async def test_what_is_wrong_is_told(client, revoked, body, told):
    status, text = await post(client, body)
    assert status == 400
    assert told in json.loads(text)["description"]
    assert revoked.taken == []


async def test_nothing_of_a_body_is_told_back(client):
    for body in ({"key_manager": "km", "token": {"a": "T0KEN"}}, {"type": "T0KEN"}, '{"token": "T0KEN"'):
        _, text = await post(client, body)
        assert "T0KEN" not in text


WRONG = [
    {},
    {"Authorization": "Bearer"},
    {"Authorization": f"Bearer {SECRET}x"},
    {"Authorization": f"Basic {SECRET}"},
    {"Authorization": SECRET},
    {"Authorization": "Basic !"},
    {"Authorization": "Basic " + base64.b64encode(b"admin:other").decode()},
    {"Authorization": "Bearer \u00fc".encode().decode("latin-1")},
]


@pytest.mark.parametrize("headers", WRONG)
@pytest.mark.parametrize(("path", "challenge"), [("/revocations", "Bearer"), (NOTIFY, "Basic")])
async def test_without_the_right_credentials_nothing_is_read(client, revoked, headers, path, challenge):
    async with client.post(path, json=OURS[0][0], headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith(challenge)
    assert revoked.taken == []


async def test_the_credentials_of_one_door_do_not_open_the_other(client):
    assert (await post(client, OURS[0][0], headers=BASIC))[0] == 401
    assert (await post(client, EVENT | TOKEN_EVENT, NOTIFY, BEARER))[0] == 401


async def test_a_notifier_can_do_nothing_else(client, revoked):
    assert (await post(client, OURS[0][0], NOTIFY, BASIC))[0] == 400
    assert revoked.taken == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_revocations_are_posted(client, method):
    async with client.request(method, "/revocations", headers=BEARER) as response:
        assert response.status == 405


async def test_without_credentials_to_ask_for_there_is_no_door(revoked):
    async with serving(revoked, operator=False, notifier=False) as client:
        assert (await post(client, OURS[0][0]))[0] == 404
        assert (await post(client, EVENT | TOKEN_EVENT, NOTIFY, BASIC))[0] == 404


async def test_without_a_key_manager_for_them_notifications_are_refused(revoked):
    async with serving(revoked, source=None, notifier=False) as client:
        status, text = await post(client, EVENT | TOKEN_EVENT)
    assert status == 400
    assert "revocation.notifications" in text


async def test_nothing_is_acknowledged_that_is_not_stored(client, revoked):
    revoked.away = True
    async with client.post("/revocations", json=OURS[0][0], headers=BEARER) as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
        assert "not stored" in await response.text()


@pytest.mark.parametrize("told", [True, False], ids=["length", "chunks"])
async def test_a_body_that_is_too_long_is_not_read_to_its_end(client, revoked, told):
    def chunks():
        yield b" " * (MAX_BODY_BYTES // 2)

    async def endless():
        while True:
            await asyncio.sleep(0)
            for chunk in chunks():
                yield chunk

    body = b" " * (MAX_BODY_BYTES + 1) if told else endless()
    try:
        async with client.post("/revocations", data=body, headers=BEARER) as response:
            assert response.status == 413
    except aiohttp.ClientOSError:
        assert not told  # it hung up while we were still sending
    assert revoked.taken == []


async def test_the_longest_body_is_read(client, revoked):
    body = json.dumps({"key_manager": "km", "token": ""})
    body = json.dumps({"key_manager": "km", "token": "t" * (MAX_BODY_BYTES - len(body))})
    assert len(body) == MAX_BODY_BYTES
    assert (await post(client, body))[0] == 204
