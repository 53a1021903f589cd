"""Who may call; the checks themselves are in tests/integration/test_grpc_server_tls.py."""

import pytest

from extauthz.envoy.tls_peers import KnownPeers


def test_without_any_name_it_is_a_mistake():
    with pytest.raises(ValueError, match="nobody could call"):
        KnownPeers(())
