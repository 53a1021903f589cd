"""Envoy accepts what the notes of a release tell to write."""

import json
import re
import textwrap

import pytest
import yaml
from helm.rendering import rendered_ci
from helm.server_certificates import certificates
from support.envoy import ensure_accepted

pytestmark = [pytest.mark.external_service, pytest.mark.through_envoy]

MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}


def bootstrap(notes, folder):
    """The snippet, in the least that Envoy starts with; files that it names are in `folder`."""
    snippet = re.search(r"^1\. Envoy\n\n((?:   .*\n)+)", notes, re.MULTILINE)
    assert snippet is not None
    said = yaml.safe_load(textwrap.dedent(snippet[1]).replace("/etc/envoy/", f"{folder}/"))
    manager = {
        "@type": MANAGER,
        "stat_prefix": "ingress",
        "http_filters": [*said["http_filters"], ROUTER],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": []}]},
    }
    listener = {
        "name": "ingress",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": said["clusters"]}}


@pytest.mark.parametrize("name", ["minimal", "single", "tls-secret", "tls-mutual"])
async def test_the_snippet_is_accepted(name, tmp_path):
    pems = certificates(tmp_path / "certificates")
    files = {"extauthz-ca.crt": "ca.crt", "client.crt": "tls.crt", "client.key": "tls.key"}
    for file, key in files.items():
        (tmp_path / file).write_text(pems[key], encoding="utf-8")
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps(bootstrap(rendered_ci(name).notes, tmp_path)), encoding="utf-8")
    await ensure_accepted(config)
