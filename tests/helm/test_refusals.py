"""Values that cannot be used are refused before anything is sent to the cluster, with what to do about it."""

import json
import re
import shutil
from typing import Any

import pytest
import yaml
from helm.rendering import ci_values, render
from helm.values_file import CHART
from helm.values_schema import values_schema
from helm_python import Chart, HelmRenderError, HelmValuesError

from extauthz.catalog.key_manager_entities import KeyManagerDocument
from extauthz.settings.process import Settings

CATALOG = {"catalog": {"existingConfigMap": "apis"}}
PEER: list[dict[str, Any]] = [{"namespaceSelector": {}}]
REDIS = {"url": "redis://redis:6379/0"}
INTROSPECTING = {
    "id": "corporate",
    "issuer": "https://login.example.com",
    "introspection": {
        "endpoint": "https://login.example.com/introspect",
        "authentication": {
            "password": {
                "token_endpoint": "https://login.example.com/token",
                "client_id": "gateway",
                "client_secret": "hunter2",
                "username": "gateway",
                "password": "hunter3",
            }
        },
    },
}
RESIDENT = {
    "issuer": "https://login.example.com",
    "audience": ["gateway"],
    "database": "sqlite://",
    "signing_key": {"env": "KEY"},
    "clients": [{"client_id": "c", "client_secret": {"env": "SECRET"}}],
}


def refusal(**values):
    with pytest.raises(HelmRenderError) as caught:
        render(CATALOG | values)
    return str(caught.value)


MISTAKES = {
    "no catalog": ({"catalog": {}}, "catalog: say where it is"),
    "two catalogs": (
        {"catalog": {"existingConfigMap": "a", "existingSecret": "b"}},
        "give one of catalog.existingConfigMap, catalog.existingSecret, not 2",
    ),
    "catalog file": ({"config": {"catalog": {"file": "/x"}}}, "config.catalog.file: set `catalog.inline`"),
    "catalog files": ({"catalog": {"existingSecret": "a", "files": {"a.pem": "x"}}}, "catalog.files: goes with"),
    "listen": ({"config": {"listen": "0.0.0.0:1"}}, "config.listen: set `listenHost` and `ports.grpc`"),
    "operations": ({"config": {"operations": {"listen": "0.0.0.0:1"}}}, "config.operations.listen: set"),
    "http check": (
        {"config": {"http_check": {"proxy": "envoy", "listen": "0.0.0.0:1"}}},
        "config.http_check.listen: set `listenHost` and `ports.httpCheck`",
    ),
    "one port": ({"ports": {"operations": 9191}}, "ports: must differ"),
    "one port for http": (
        {"config": {"http_check": {"proxy": "envoy"}}, "ports": {"httpCheck": 9192}}, "ports: must differ",
    ),
    "collector's secret": (
        {"config": {"traces": {"endpoint": "https://collector.example.com:4318", "headers_secret": "headers"}}},
        "config.traces.headers_secret: `headers` is not one of `secrets` (there are none)",
    ),
    "unknown secret": (
        {"config": {"cache": {"backend": "redis", "redis": REDIS, "secret": ["cahce-secret"]}},
         "secrets": {"cache-secret": {"existingSecret": "s", "key": "k"}}},
        "config.cache.secret: `cahce-secret` is not one of `secrets` (cache-secret)",
    ),
    "unknown key": (
        {"config": {"backend_jwt": {"keys": [{"key": "signing"}]}}},
        "config.backend_jwt.keys[0].key: `signing` is not one of `secrets` (there are none)",
    ),
    "a secret itself in the catalog": (
        {"catalog": {"inline": {"key_managers": [INTROSPECTING]}}},
        "catalog.inline.key_managers[0].introspection.authentication.password.client_secret: `hunter2` is not one of",
    ),
    "a key itself in a test": (
        {"test": {"allow": {"url": "https://api.example.com/pets", "headers": {"X-API-Key": "abc"}}}},
        "test.allow.headers.X-API-Key: would stand in a ConfigMap",
    ),
    "a token itself in a test": (
        {"test": {"cases": [{"name": "a", "request": {"url": "https://api.example.com/pets", "headers":
                   {"authorization": "Bearer abc"}}, "expect": {"decision": "allow"}}]}},
        "test.cases[0].request.headers.authorization: would stand in a ConfigMap",
    ),
    "secret twice": (
        {"config": {"secrets": {"a": {"env": "A"}}}, "secrets": {"a": {"existingSecret": "s", "key": "k"}}},
        "secrets.a: is in `config.secrets` as well",
    ),
    "variables": (
        {"secrets": {name: {"existingSecret": "s", "key": "k", "as": "env"} for name in ("a-b", "a.b")}},
        "secrets.a.b: has the environment variable of `a-b` (EXTAUTHZ_SECRET_A_B)",
    ),
    "grace": (
        {"terminationGracePeriodSeconds": 20},
        "terminationGracePeriodSeconds: must be more than 20: preStopSeconds + config.limits.drain_seconds",
    ),
    "grace of config": (
        {"terminationGracePeriodSeconds": 60, "config": {"limits": {"drain_seconds": 50, "grace_seconds": 20}}},
        "must be more than 75",
    ),
    "two pre-stops": (
        {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}, "terminationGracePeriodSeconds": 60},
        "lifecycle.preStop: takes the place of `preStopSeconds`",
    ),
    "pre-stop": (
        {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}, "preStopSeconds": 0},
        "set `terminationGracePeriodSeconds` so that it includes it",
    ),
    "scale": ({"autoscaling": {"enabled": True, "maxReplicas": 1}}, "maxReplicas: is less than `minReplicas`"),
    "scale by nothing": (
        {"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": None}},
        "autoscaling: give a target or `metrics`",
    ),
    "share of nothing": (
        {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}},
        "is a part of `resources.requests.cpu`, which is missing",
    ),
    "two scalers": (
        {"autoscaling": {"enabled": True, "keda": {"enabled": True}, "metrics": [{"type": "Pods"}]}},
        "autoscaling.metrics: are those of a HorizontalPodAutoscaler",
    ),
    "keda by nothing": (
        {"autoscaling": {"enabled": True, "keda": {"enabled": True}, "targetCPUUtilizationPercentage": None}},
        "autoscaling: give a target or `keda.triggers`",
    ),
    "fallback from nothing": (
        {"autoscaling": {
            "enabled": True, "keda": {"enabled": True, "fallback": {"failureThreshold": 3, "replicas": 6}}
        }},
        "autoscaling.keda.fallback: is for `keda.triggers`",
    ),
    "keda off": ({"autoscaling": {"keda": {"enabled": True}}}, "but `autoscaling.enabled` is false"),
    "budget": ({"podDisruptionBudget": {"minAvailable": 2}}, "with 2 of 2 pods no node could ever be drained"),
    "budget zero": ({"podDisruptionBudget": {"maxUnavailable": 0}}, "with 0 no node could ever be drained"),
    "no budget": ({"podDisruptionBudget": {"maxUnavailable": None}}, "give `minAvailable` or `maxUnavailable`"),
    "stuck": ({"updateStrategy": {"rollingUpdate": {"maxSurge": 0}}}, "no pod could ever be replaced"),
    "no certificate": ({"tls": {"enabled": True}}, "tls: needs `existingSecret` or `certManager.enabled`"),
    "two certificates": (
        {"tls": {"enabled": True, "existingSecret": "s", "certManager": {"enabled": True}}},
        "tls: give `existingSecret` or `certManager.enabled`, not both",
    ),
    "no issuer": ({"tls": {"enabled": True, "certManager": {"enabled": True}}}, "issuerRef.name: is missing"),
    "names for nobody": (
        {"tls": {"enabled": True, "existingSecret": "s", "client": {"names": ["envoy"]}}},
        "tls.client.names: nobody's name is checked",
    ),
    "any client": (
        {"tls": {"enabled": True, "existingSecret": "s", "client": {"existingSecret": "ca"}}},
        "tls.client.names: say which names",
    ),
    "tls off": ({"tls": {"existingSecret": "s"}}, "tls: is described, but `tls.enabled` is false"),
    "test without certificate": (
        {"tls": {"enabled": True, "existingSecret": "s", "client": {"existingSecret": "ca"}}},
        "test.tls.existingSecret: `helm test` needs a client certificate",
    ),
    "nobody may ask": ({"networkPolicy": {"enabled": True}}, "networkPolicy.ingress.gateways: name the pods"),
    "service spec": (
        {"service": {"spec": {"type": "NodePort", "ports": []}}}, "service.spec.type: set `service.type`",
    ),
    "proxy out of reach": (
        {"config": {"http_check": {"proxy": "envoy"}},
         "networkPolicy": {"enabled": True, "ingress": {"gateways": PEER}}},
        "networkPolicy.ingress.httpCheck: name the proxy",
    ),
    "proxy for nothing": (
        {"networkPolicy": {"enabled": True, "ingress": {"gateways": PEER, "httpCheck": PEER}}},
        "networkPolicy.ingress.httpCheck: nobody asks by HTTP",
    ),
    "a way around certificates": (
        {"config": {"http_check": {"proxy": "envoy"}},
         "tls": {"enabled": True, "existingSecret": "s", "client": {"existingSecret": "ca", "names": ["envoy"]}}},
        "config.http_check: has no TLS, so whoever has no certificate",
    ),
    "collector out of reach": (
        {"config": {"traces": {"endpoint": "http://127.0.0.1:4318"}},
         "networkPolicy": {"enabled": True, "ingress": {"gateways": PEER}}},
        "networkPolicy.egress.traces: say where the collector",
    ),
    "redis out of reach": (
        {"config": {"revocation": {"backend": "redis", "redis": REDIS}},
         "networkPolicy": {"enabled": True, "ingress": {"gateways": PEER}}},
        "networkPolicy.egress.redis.revocation: say where the Redis",
    ),
    "prometheus out of reach": (
        {"serviceMonitor": {"enabled": True}, "networkPolicy": {"enabled": True, "ingress": {"gateways": PEER}}},
        "networkPolicy.ingress.monitoring: name your Prometheus",
    ),
    "monitor without service": (
        {"serviceMonitor": {"enabled": True}, "operationsService": {"enabled": False}},
        "serviceMonitor: finds pods through `operationsService`",
    ),
    "resident off": ({"resident": {"config": RESIDENT}}, "resident: is described, but `resident.enabled` is false"),
    "resident empty": ({"resident": {"enabled": True}}, "resident.config.issuer: is missing"),
    "resident listens": (
        {"resident": {"enabled": True, "config": RESIDENT | {"listen": "0.0.0.0:1"}}},
        "resident.config.listen: set `resident.port`",
    ),
    "password in a ConfigMap": (
        {"resident": {"enabled": True, "config": RESIDENT | {"database": "postgresql://user:pass@db/resident"}}},
        "resident.config.database: has a password",
    ),
    "password with a slash in a ConfigMap": (
        {"resident": {"enabled": True, "config": RESIDENT | {"database": "postgresql://user:pa/ss@db/resident"}}},
        "resident.config.database: has a password",
    ),
    "password as a parameter": (
        {"resident": {"enabled": True, "config": RESIDENT | {"database": "postgresql://db/resident?password=x"}}},
        "resident.config.database: has a password",
    ),
    "file where nothing can be written": (
        {"resident": {"enabled": True, "config": RESIDENT | {"database": "sqlite:///resident.db"}}},
        "resident.config.database: is a file where the pod cannot write",
    ),
    "volume for nothing": (
        {"resident": {"enabled": True, "config": RESIDENT, "persistence": {"enabled": True}}},
        "resident.persistence: is for `database: sqlite:////var/lib/extauthz/resident.db`",
    ),
    "key that ends": (
        {"resident": {"enabled": True, "config": {k: v for k, v in RESIDENT.items() if k != "signing_key"}}},
        "resident.config.signing_key: is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("values", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_contradiction_is_told(values, message):
    assert message in refusal(**values)


def test_all_mistakes_are_told_at_once():
    told = refusal(terminationGracePeriodSeconds=1, tls={"existingSecret": "s"})
    assert "terminationGracePeriodSeconds: must" in told
    assert "tls: is described" in told


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"replicas": 3}, "additional properties 'replicas' not allowed"),
        ({"image": {"tags": "1"}}, "at '/image': additional properties 'tags' not allowed"),
        ({"config": {"limits": {"drain_second": 1}}}, "at '/config/limits': additional properties 'drain_second'"),
        ({"config": {"limits": {"drain_seconds": 601}}}, "at '/config/limits/drain_seconds': maximum"),
        ({"catalog": {"inline": {"apis": [{"id": 1}]}}}, "/catalog/inline/apis/0"),
        ({"tolerations": [{"key": "a", "efect": "NoSchedule"}]}, "at '/tolerations/0': additional properties 'efect'"),
        ({"extraContainers": [{"name": "a", "imag": "b"}]}, "at '/extraContainers/0': additional properties 'imag'"),
        ({"image": {"digest": "sha256:1"}}, "at '/image/digest': 'sha256:1' does not match pattern"),
        ({"secrets": {"a": {"value": "s3cret"}}}, "at '/secrets/a'"),
        ({"ports": {"grpc": 70000}}, "at '/ports/grpc': maximum"),
        ({"test": {"allow": {"urll": "https://a.example"}}}, "/test/allow"),
        ({"autoscaling": {"keda": {"triggers": [{"type": "cron"}]}}}, "missing property 'metadata'"),
        ({"service": {"spec": {"loadBalancerSourceRange": []}}}, "at '/service/spec': additional properties"),
        ({"test": {"cases": [{"name": "x"}]}}, "at '/test/cases/0': missing properties 'request', 'expect'"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_exist_is_told_with_its_place(values, place):
    with pytest.raises(HelmValuesError) as caught:
        render(CATALOG | values)
    assert place in str(caught.value)


def test_options_of_extensions_and_headers_are_not_taken_for_secrets():
    config = {
        "extensions": {"authenticators": [{"name": "partner", "options": {"token": "x-partner", "key": "kid"}}]},
        "upstream_headers": {"token": {"claim": "jti"}},
    }
    assert render(CATALOG | {"config": config}).deployment


def test_the_chart_knows_every_setting_that_names_a_secret():
    """Only their names are checked here; that each of `secrets` is there is for the program to say."""
    named = set()
    for schema in (Settings.model_json_schema(), KeyManagerDocument.model_json_schema()):
        for document in (schema, *schema["$defs"].values()):
            properties = document.get("properties", {})
            named |= {name for name in properties if re.search(r"(?:secret|password|token|keys?)$", name)}
    template = (CHART / "templates/_validation.tpl").read_text(encoding="utf-8")
    (known,) = re.findall(r'has \$key \(list ("secret"[^)]*)\)', template)
    assert set(re.findall(r'"(\w+)"', known)) == named - {"api_keys", "direct_token"}  # sections, no names


def test_a_renamed_value_is_explained(tmp_path):
    """The mechanism of files/renamed-values.yaml, with two rows that do not stand there."""
    renamed = yaml.safe_dump(
        [
            {"name": "image.name", "since": "0.2.0", "instead": "image.repository", "why": "it has no host"},
            {"name": "sidecar", "since": "0.3.0", "why": "Envoy is deployed apart"},
        ]
    )
    shutil.copytree(CHART, tmp_path / "extauthz")
    (tmp_path / "extauthz/files/renamed-values.yaml").write_text(renamed, encoding="utf-8")
    schema = values_schema((CHART / "values.yaml").read_text(encoding="utf-8"), renamed)
    (tmp_path / "extauthz/values.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    with Chart.load(tmp_path / "extauthz") as chart:
        with pytest.raises(HelmRenderError) as caught:
            render(CATALOG | {"image": {"name": "x"}, "sidecar": {"enabled": True}}, chart)
        render(CATALOG, chart)
    assert "image.name: since chart 0.2.0 it is `image.repository`: it has no host" in str(caught.value)
    assert "sidecar: since chart 0.3.0 it is gone: Envoy is deployed apart" in str(caught.value)


def test_the_values_of_the_chart_alone_say_nothing_about_a_catalog():
    with pytest.raises(HelmRenderError, match="catalog: say where it is"):
        render({})
    assert render(ci_values("minimal")).deployment
