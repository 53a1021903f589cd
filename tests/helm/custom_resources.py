"""What the chart writes of kinds that Kubernetes does not have itself, as their operators describe them.

Compared in November 2026 with prometheus-operator 0.93.1, cert-manager 1.21.1 and KEDA 2.20.2.
"""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_MAP: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def _closed(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": required | (optional or {}),
    }


def _resource(spec: Schema) -> Schema:
    metadata = _closed({"name": _TEXT, "namespace": _TEXT, "labels": _MAP}, {"annotations": _MAP})
    return _closed({"apiVersion": _TEXT, "kind": _TEXT, "metadata": metadata, "spec": spec})


_DURATION: Schema = {"type": "string", "pattern": "^([0-9]+(h|m|s|ms))+$"}
_RELABELING = _closed(
    {}, {"sourceLabels": _TEXTS, "targetLabel": _TEXT, "regex": _TEXT, "replacement": _TEXT, "action": _TEXT}
)
_RELABELINGS: Schema = {"type": "array", "items": _RELABELING}
_ENDPOINT = _closed(
    {"port": _TEXT, "path": _TEXT, "interval": _DURATION, "scrapeTimeout": _DURATION},
    {"relabelings": _RELABELINGS, "metricRelabelings": _RELABELINGS},
)
_RULE = _closed({"alert": _TEXT, "expr": _TEXT, "labels": _MAP}, {"for": _DURATION, "annotations": _MAP})
_COUNT: Schema = {"type": "integer", "minimum": 1}
_TRIGGER = _closed(
    {"type": _TEXT, "metadata": _MAP},
    {"metricType": _TEXT, "authenticationRef": _closed({"name": _TEXT}, {"kind": _TEXT})},
)
_GROUP = _closed({"name": _TEXT, "rules": {"type": "array", "items": _RULE, "minItems": 1}})

CUSTOM_RESOURCES: dict[tuple[str, str], Schema] = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): _resource(
        _closed(
            {
                "namespaceSelector": _closed({"matchNames": _TEXTS}),
                "selector": _closed({"matchLabels": _MAP}),
                "endpoints": {"type": "array", "items": _ENDPOINT, "minItems": 1},
            }
        )
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): _resource(
        _closed({"groups": {"type": "array", "items": _GROUP, "minItems": 1}})
    ),
    ("cert-manager.io/v1", "Certificate"): _resource(
        _closed(
            {
                "secretName": _TEXT,
                "duration": _DURATION,
                "renewBefore": _DURATION,
                "privateKey": _closed(
                    {"algorithm": {"enum": ["RSA", "ECDSA", "Ed25519"]}, "rotationPolicy": {"enum": ["Always"]}},
                    {"size": {"type": "integer"}},
                ),
                "usages": _TEXTS,
                "dnsNames": {**_TEXTS, "uniqueItems": True},
                "issuerRef": _closed({"name": _TEXT, "kind": _TEXT, "group": _TEXT}),
            }
        )
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): _resource(
        _closed(
            {
                "scaleTargetRef": _closed({"apiVersion": _TEXT, "kind": _TEXT, "name": _TEXT}),
                "minReplicaCount": _COUNT,
                "maxReplicaCount": _COUNT,
                "pollingInterval": _COUNT,
                "triggers": {"type": "array", "items": _TRIGGER, "minItems": 1},
            },
            {
                "fallback": _closed({"failureThreshold": _COUNT, "replicas": _COUNT}, {"behavior": _TEXT}),
                # The same as that of a HorizontalPodAutoscaler, whose schema is Kubernetes' own.
                "advanced": _closed({"horizontalPodAutoscalerConfig": _closed({"behavior": {"type": "object"}})}),
            },
        )
    ),
}
