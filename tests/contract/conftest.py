"""Where the contracts' Redis is: one server, one that sentinels watch, or a cluster; each test has its own prefix."""

import pytest
from support.redis_servers import patient, shared
from support.valkey import ValkeyServer
from support.valkey_cluster import valkey_cluster
from support.valkey_sentinel import watched_valkey


@pytest.fixture(scope="session")
def valkey():
    with shared(ValkeyServer) as server:
        yield server.url


@pytest.fixture(scope="session")
def sentinel():
    with shared(watched_valkey) as watched:
        yield watched.servers


@pytest.fixture(scope="session")
def cluster():
    with shared(valkey_cluster) as formed:
        yield formed.servers


@pytest.fixture
def redis_options(request):
    """Options for a server of `request.param`'s kind."""

    def make(kind):
        return patient(request.getfixturevalue(kind), prefix=f"{request.node.name}:")

    return make
