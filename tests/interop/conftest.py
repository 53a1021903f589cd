"""Counterparts that are expensive to start: one of each for all tests of a module."""

import pytest
from interop.oidc_provider import Gateway, new_gateway, running_provider


@pytest.fixture(scope="session")
def gateway(tmp_path_factory) -> Gateway:
    return new_gateway(tmp_path_factory.mktemp("gateway"))


@pytest.fixture
async def provider(tmp_path, gateway):
    async with running_provider(tmp_path / "provider", gateway) as running:
        yield running
