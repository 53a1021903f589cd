"""`deploy/envoy/replicas.yaml`: a replica that dies takes no request along."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from support.authorization_server import AuthorizationServer
from support.envoy import ROOT, running_echo, running_envoy, send
from support.service import running_service

from extauthz.cli.demo.envoy_bootstrap import cluster, ext_authz, load

pytestmark = [pytest.mark.external_service, pytest.mark.through_envoy]

CLIENTS = 8


def with_endpoints(*ports):
    """On this machine every replica has the same address, so the name is written out once a port."""

    def settle(bootstrap):
        (places,) = cluster(bootstrap, "extauthz")["load_assignment"]["endpoints"]
        places["lb_endpoints"] = [
            {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
            for port in ports
        ]

    return settle


@asynccontextmanager
async def two_replicas(folder):
    """An Envoy with an upstream, and two replicas that it asks."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(AuthorizationServer())
        first, second = [
            await stack.enter_async_context(running_service(folder / name, issuer)) for name in ("first", "second")
        ]
        echo = await stack.enter_async_context(running_echo(folder))
        envoy = running_envoy(
            folder,
            authorization_port=first.port,
            upstream_port=echo,
            bootstrap_file="replicas.yaml",
            change=with_endpoints(first.port, second.port),
        )
        yield await stack.enter_async_context(envoy), first, second


class Load:
    """Clients that send one request after the other."""

    def __init__(self, port):
        self.statuses: Counter[int] = Counter()
        self._port = port
        self._answered = asyncio.Condition()
        self._stopped = False

    async def client(self):
        while not self._stopped:
            response = await send(self._port, target="/petstore/v1/about")
            async with self._answered:
                self.statuses[response.status] += 1
                self._answered.notify_all()

    async def more(self, requests):
        """Waits until so many more are answered."""
        until = self.statuses.total() + requests
        async with self._answered:
            await self._answered.wait_for(lambda: self.statuses.total() >= until)

    def stop(self):
        self._stopped = True


@asynccontextmanager
async def load_on(port):
    load = Load(port)
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(load.client())
        try:
            yield load
        finally:
            load.stop()


async def test_no_request_fails_while_one_replica_is_left(tmp_path):
    async with two_replicas(tmp_path) as (envoy, first, second):
        async with load_on(envoy.port) as load:
            await load.more(100)
            os.kill(first.process_id, signal.SIGKILL)
            await load.more(300)
        assert load.statuses.keys() == {200}
        assert all('"event": "allowed"' in replica.logged() for replica in (first, second))
        os.kill(second.process_id, signal.SIGKILL)
        last = [(await send(envoy.port, target="/petstore/v1/about")).status for _ in range(5)]
    assert last == [503] * 5


def test_only_the_retry_and_the_cluster_differ():
    plain, several = load(), load(ROOT / "deploy/envoy/replicas.yaml")
    del ext_authz(several)["grpc_service"]["retry_policy"]
    cluster(several, "extauthz").clear()
    cluster(plain, "extauthz").clear()
    assert several == plain


def test_the_cluster_keeps_what_envoy_yaml_says_of_one_replica():
    plain, several = (
        cluster(load(ROOT / "deploy/envoy" / name), "extauthz") for name in ("envoy.yaml", "replicas.yaml")
    )
    for key in ("health_checks", "connect_timeout", "name"):
        assert several[key] == plain[key]
    (limits,), (more,) = (each["circuit_breakers"]["thresholds"] for each in (plain, several))
    assert more == limits | {"max_retries": more["max_retries"]}
