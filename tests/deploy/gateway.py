"""The machine of an Envoy: its `/etc/envoy` as a folder of a test, with certificates of an authority of the test."""

import copy
from pathlib import Path
from typing import Any

from support.certificate_authority import CertificateAuthority
from support.envoy import ROOT

from extauthz.cli.demo.envoy_bootstrap import Bootstrap

GATEWAY_NAME = "gateway.example.com"
REPLICA_NAME = "extauthz.example.com"

_ETC = "/etc/envoy"


def furnish(folder: Path, authority: CertificateAuthority) -> None:
    """Puts into the folder what `deploy/envoy/mutual-tls.yaml` wants to find in `/etc/envoy`."""
    tls, sds = folder / "tls", folder / "sds"
    tls.mkdir(parents=True)
    sds.mkdir()
    certificate, key = authority.certificate(GATEWAY_NAME, dns_names=[GATEWAY_NAME])
    (tls / "tls.crt").write_bytes(certificate.read_bytes())
    (tls / "tls.key").write_bytes(key)
    (tls / "ca.crt").write_bytes(authority.ca_file.read_bytes())
    for source in (ROOT / "deploy/envoy/sds").iterdir():
        text = source.read_text(encoding="utf-8").replace(_ETC, str(folder))
        (sds / source.name).write_text(text, encoding="utf-8")


def at_home(bootstrap: Bootstrap, folder: Path) -> Bootstrap:
    """A copy that looks into the folder instead of `/etc/envoy`."""
    moved: Bootstrap = _moved(copy.deepcopy(bootstrap), folder)
    return moved


def _moved(node: Any, folder: Path) -> Any:
    if isinstance(node, dict):
        return {key: _moved(value, folder) for key, value in node.items()}
    if isinstance(node, list):
        return [_moved(value, folder) for value in node]
    return node.replace(_ETC, str(folder)) if isinstance(node, str) else node
