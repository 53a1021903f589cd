"""What many of the tests with real processes begin with."""

import pytest
from support.certificate_authority import CertificateAuthority


@pytest.fixture
def authority(tmp_path):
    """Signs certificates."""
    return CertificateAuthority(tmp_path)
