"""How many pods there are, where they go, and what keeps them."""

import pytest
from helm.rendering import rendered_ci, rendered_with

KEDA = {"autoscaling": {"enabled": True, "keda": {"enabled": True}}}


def test_two_pods_have_a_budget_and_one_has_none():
    budget = rendered_with().find("PodDisruptionBudget", "gate-extauthz")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert "PodDisruptionBudget" not in rendered_with(replicaCount=1).kinds()
    scaling = rendered_with(replicaCount=1, autoscaling={"enabled": True})
    assert "PodDisruptionBudget" in scaling.kinds()
    least = rendered_with(podDisruptionBudget={"minAvailable": 1}).find("PodDisruptionBudget", "gate-extauthz")["spec"]
    assert least["minAvailable"] == 1
    assert "maxUnavailable" not in least


@pytest.mark.parametrize("values", [{"autoscaling": {"enabled": True}}, KEDA, {"replicaCount": None}])
def test_the_number_of_pods_is_left_to_a_scaler(values):
    assert "replicas" not in rendered_with(**values).deployment["spec"]


def test_the_autoscaler_is_slow_to_take_pods_away():
    spec = rendered_with(autoscaling={"enabled": True}).find("HorizontalPodAutoscaler", "gate-extauthz")["spec"]
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert [metric["resource"]["name"] for metric in spec["metrics"]] == ["cpu"]


def test_keda_scales_within_the_same_bounds_by_the_same_targets():
    objects = rendered_ci("keda")
    spec = objects.find("ScaledObject", "gate-extauthz")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gate-extauthz"}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (3, 30)
    assert [(trigger["type"], trigger["metadata"].get("value")) for trigger in spec["triggers"]] == [
        ("cpu", "70"),
        ("prometheus", None),
    ]
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 300
    # Two scalers would undo each other.
    assert "HorizontalPodAutoscaler" not in objects.kinds()
    assert "replicas" not in objects.deployment["spec"]


def test_pods_are_spread_over_zones_and_nodes_and_never_pending_for_it():
    pod = rendered_with().pod
    assert [constraint["topologyKey"] for constraint in pod["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert {constraint["whenUnsatisfiable"] for constraint in pod["topologySpreadConstraints"]} == {"ScheduleAnyway"}
    assert "preferredDuringSchedulingIgnoredDuringExecution" in pod["affinity"]["podAntiAffinity"]


def test_a_selector_of_ones_own_is_not_added_to():
    (constraint,) = rendered_ci("scheduling").pod["topologySpreadConstraints"]
    assert constraint["labelSelector"] == {"matchLabels": {"tier": "gateway"}}
