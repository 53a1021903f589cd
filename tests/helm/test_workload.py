"""What the pods of the data plane are like, and when they are others."""

import re
from pathlib import Path

import pytest
from helm.rendering import Manifest, ci_names, rendered_ci, rendered_with

from extauthz.data_plane.restart import need_restart
from extauthz.document.strict import loads
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE
from extauthz.settings.process import Settings

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "extauthz:0.1.0"),
        ({"tag": "1.2"}, "extauthz:1.2"),
        ({"registry": "registry.example.com/"}, "registry.example.com/extauthz:0.1.0"),
        ({"tag": "1.2", "digest": DIGEST}, f"extauthz@{DIGEST}"),
    ],
)
def test_a_digest_wins_over_a_tag(image, expected):
    assert rendered_with(image=image).container["image"] == expected


def test_readiness_is_grpc_health_of_the_service_that_envoy_calls():
    container = rendered_with().container
    assert container["readinessProbe"]["grpc"] == {"port": 9191, "service": AUTHORIZATION_SERVICE}
    # Not ready is no reason to be killed.
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["startupProbe"]["httpGet"]["path"] == "/healthz"


def test_with_tls_probes_are_those_of_the_operations_port():
    """The kubelet speaks gRPC in the clear only."""
    container = rendered_ci("tls-secret").container
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "operations"}
    assert "grpc" not in container["readinessProbe"]


def test_a_probe_of_ones_own_is_taken_as_it_is():
    probe = rendered_with(readinessProbe={"tcpSocket": {"port": "grpc"}}).container["readinessProbe"]
    assert probe["tcpSocket"] == {"port": "grpc"}
    assert "grpc" not in probe


def test_other_settings_are_other_pods_and_another_catalog_is_not():
    def annotations(**values):
        return rendered_with(**values).deployment["spec"]["template"]["metadata"]["annotations"]

    apis = [{"inline": {"applications": [{"id": name, "name": name}]}} for name in ("a", "b")]
    assert annotations(config={"errors": {"realm": "a"}}) != annotations(config={"errors": {"realm": "b"}})
    assert annotations(catalog=apis[0]) == annotations(catalog=apis[1])
    restarting = [annotations(catalog=api | {"restartOnChange": True}) for api in apis]
    assert restarting[0] != restarting[1]


AT_START: dict[str, Manifest] = {
    "listen": {"ports": {"grpc": 9000}},
    "operations.listen": {"ports": {"operations": 9000}},
    "tls": {"tls": {"enabled": True, "existingSecret": "tls"}},
    "grpc": {"config": {"grpc": {"reflection": True}}},
    "metrics": {"config": {"metrics": {"apis": 1}}},
    "http_check": {"config": {"http_check": {"proxy": "envoy"}}},
    "dpop.replay_entries": {"config": {"dpop": {"replay_entries": 7}}},
}
WHILE_RUNNING: tuple[Manifest, ...] = (
    {"config": {"errors": {"realm": "another"}}},
    {"config": {"operations": {"token": "t"}, "secrets": {"t": {"env": "T"}}}},
    {"config": {"dpop": {"max_age_seconds": 30}}},
    {"config": {"limits": {"check_seconds": 1}}},
)


def checksum_and_settings(**values):
    rendered = rendered_with(restartOnConfigChange=False, **values)
    annotations = rendered.deployment["spec"]["template"]["metadata"]["annotations"]
    text = rendered.find("ConfigMap", "gate-extauthz-config")["data"]["extauthz.yaml"]
    return annotations["checksum/config"], loads(text, Settings, "extauthz.yaml")


@pytest.mark.parametrize("values", [*AT_START.values(), *WHILE_RUNNING], ids=str)
def test_what_a_process_cannot_take_over_is_other_pods_in_any_case(values):
    checksum, settings = checksum_and_settings()
    other_checksum, other_settings = checksum_and_settings(**values)
    assert settings != other_settings
    assert (checksum != other_checksum) == bool(need_restart(settings, other_settings))


def test_every_setting_that_needs_a_restart_is_tried_above():
    _, settings = checksum_and_settings()
    told = {name for values in AT_START.values() for name in need_restart(settings, checksum_and_settings(**values)[1])}
    assert told == AT_START.keys()
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    sentence = page[page.index("stay as they are until a restart:") :].partition(".\n")[0].replace("\n", " ")
    assert set(re.findall(r"`([^`]+)`", sentence.partition("restart:")[2].partition(". Where")[0])) == told


@pytest.mark.parametrize("name", ci_names())
def test_configuration_is_mounted_as_folders(name):
    """A `subPath` would never follow a change."""
    for pod in rendered_ci(name).pods():
        assert all(
            "subPath" not in mount for container in pod["containers"] for mount in container.get("volumeMounts", [])
        )


def test_null_takes_a_default_away_at_any_depth():
    assert rendered_ci("openshift").pod["securityContext"].keys() & {"runAsUser", "runAsGroup", "fsGroup"} == set()
    assert "cpu" not in rendered_ci("scheduling").container["resources"]["limits"]


def test_labels_of_ones_own_do_not_move_pods_to_another_service():
    objects = rendered_ci("extra")
    labels = objects.find("Deployment", "gate-authz")["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "data-plane"
    assert labels["team"] == "gateway"


def test_extra_objects_are_templates():
    assert rendered_ci("extra").find("ConfigMap", "gate-extra")["data"] == {"who": "extauthz"}
