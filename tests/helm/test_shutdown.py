"""A pod that leaves has the time that it needs."""

import pytest
import yaml
from helm.rendering import ci_names, rendered_ci, rendered_with


@pytest.mark.parametrize("name", ci_names())
def test_the_grace_period_is_longer_than_the_way_out(name):
    pod = rendered_ci(name).pod
    settings = yaml.safe_load(
        rendered_ci(name).find("ConfigMap", pod["volumes"][0]["configMap"]["name"])["data"]["extauthz.yaml"]
    )
    limits = {"drain_seconds": 5, "grace_seconds": 10} | settings.get("limits", {})
    hook = pod["containers"][0].get("lifecycle", {}).get("preStop", {})
    way_out = hook.get("sleep", {}).get("seconds", 0) + limits["drain_seconds"] + limits["grace_seconds"]
    assert pod["terminationGracePeriodSeconds"] > way_out


def test_fractions_of_a_second_are_not_lost():
    pod = rendered_with(config={"limits": {"drain_seconds": 0.5, "grace_seconds": 0.4}}, preStopSeconds=0).pod
    assert pod["terminationGracePeriodSeconds"] == 6
    assert "lifecycle" not in pod["containers"][0]


@pytest.mark.parametrize("name", ci_names())
def test_nothing_needs_a_shell_or_a_program_of_the_image(name):
    """A preStop that cannot be run is one that does not wait."""
    for pod in rendered_ci(name).pods():
        for container in pod["containers"]:
            checks = [container.get(f"{kind}Probe", {}) for kind in ("startup", "readiness", "liveness")]
            assert all("exec" not in check for check in (*checks, *container.get("lifecycle", {}).values()))


def test_no_pod_goes_before_the_control_planes_have_heard_of_it():
    assert rendered_with().container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert rendered_with().deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
