"""No secret in an object, no right that is not needed: the Pod Security Standard `restricted`, for every pod."""

import re

import pytest
import yaml
from helm.rendering import ci_names, ci_values, rendered_ci
from helm.values_file import CHART

every_values_file = pytest.mark.parametrize("name", ci_names())


def containers(pod):
    ours = {"extauthz", "resident", "check"}
    return [c for c in [*pod.get("initContainers", []), *pod["containers"]] if c["name"] in ours]


@every_values_file
def test_pods_keep_to_the_restricted_standard(name):
    pods = list(rendered_ci(name).pods())
    assert pods
    for pod in pods:
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["securityContext"].get("runAsUser") != 0
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert context["privileged"] is False
            assert all("hostPort" not in port for port in container.get("ports", []))
        allowed = {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}
        assert all(volume.keys() - {"name"} <= allowed for volume in pod["volumes"])


@every_values_file
def test_no_token_of_the_cluster_is_in_a_pod(name):
    assert all(pod["automountServiceAccountToken"] is False for pod in rendered_ci(name).pods())
    accounts = [m for m in rendered_ci(name).manifests if m["kind"] == "ServiceAccount"]
    assert all(account["automountServiceAccountToken"] is False for account in accounts)
    assert not {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"} & rendered_ci(name).kinds()


@every_values_file
def test_the_chart_makes_no_secret(name):
    assert "Secret" not in rendered_ci(name).kinds()


def test_templates_make_nothing_up():
    """What is generated on each render is another thing after each upgrade."""
    made_up = re.compile(r"\b(rand\w+|gen[A-Z]\w+|uuidv4|now|lookup|htpasswd|derivePassword|encryptAES)\b")
    for template in (CHART / "templates").rglob("*.*"):
        code = re.sub(r"\{\{/\*.*?\*/\}\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        actions = " ".join(re.findall(r"\{\{(.*?)\}\}", re.sub(r'"[^"]*"', "", code), re.DOTALL))
        assert not made_up.findall(actions), template.name


def test_no_value_of_the_schema_can_hold_a_secret():
    """Secrets are named by Secret and key, and the settings by names of those."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    text = yaml.safe_dump(values).lower()
    assert not re.findall(r"^\s*\w*(password|token|secretkey|privatekeypem)\w*:", text, re.MULTILINE)


@every_values_file
def test_config_maps_hold_names_of_secrets_only(name):
    """Every key of a document that could hold a secret holds a name from `secrets`, a place, or a hash."""
    rendered = rendered_ci(name)
    for manifest in rendered.manifests:
        if manifest["kind"] == "ConfigMap":
            assert "PRIVATE KEY" not in str(manifest["data"])
    known = set(ci_values(name).get("secrets", {}))
    for data in (m["data"] for m in rendered.manifests if m["kind"] == "ConfigMap"):
        for document in ("extauthz.yaml", "catalog.yaml"):
            for value in _secret_values(yaml.safe_load(data.get(document, "{}"))):
                assert value in known


def _secret_values(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"password", "client_secret", "secret", "token", "access_token"} and not isinstance(value, dict):
                yield from value if isinstance(value, list) else [value]
            else:
                yield from _secret_values(value)
    elif isinstance(node, list):
        for item in node:
            yield from _secret_values(item)


def test_the_test_pod_does_not_get_the_private_key_of_the_server():
    pod = rendered_ci("tls-cert-manager-server-only").find("Pod", "gate-extauthz-test")["spec"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "tls"]
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
