"""What many of the tests with real processes begin with."""

import pytest
from support.authorization_server import AuthorizationServer
from support.certificate_authority import CertificateAuthority


@pytest.fixture
async def server():
    """A key manager."""
    async with AuthorizationServer() as running:
        yield running


@pytest.fixture
def authority(tmp_path):
    """Signs certificates."""
    return CertificateAuthority(tmp_path)
