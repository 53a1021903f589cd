{{/* Everything that is wrong, together; each line says what to do. Rendered by the Deployment, before anything else. */}}
{{- define "extauthz.validate" -}}
{{- $mistakes := list -}}
{{- range $check := list "renamed" "owned" "catalog" "secretNames" "secrets" "tests" "shutdown" "scaling" "tls" "network" "service" "monitoring" "resident" -}}
  {{- range splitList "\n" (include (printf "extauthz.validate.%s" $check) $) -}}
    {{- with trim . -}}{{- $mistakes = append $mistakes . -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if $mistakes -}}
{{- fail (printf "\n\nThese values cannot be used:\n  - %s\n" (join "\n  - " $mistakes)) -}}
{{- end -}}
{{- end -}}

{{/* Values that an earlier version of the chart had: files/renamed-values.yaml. */}}
{{- define "extauthz.validate.renamed" -}}
{{- range (.Files.Get "files/renamed-values.yaml" | fromYamlArray) }}
{{- $value := $.Values -}}
{{- range splitList "." .name -}}
  {{- if and (kindIs "map" $value) (hasKey $value .) -}}{{- $value = get $value . -}}{{- else -}}{{- $value = "" -}}{{- end -}}
{{- end -}}
{{- if $value }}
{{ .name }}: since chart {{ .since }} {{ with .instead }}it is `{{ . }}`{{ else }}it is gone{{ end }}{{ with .why }}: {{ . }}{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the chart itself puts into the settings. */}}
{{- define "extauthz.validate.owned" -}}
{{- $config := .Values.config -}}
{{- if hasKey $config "listen" }}
config.listen: set `listenHost` and `ports.grpc`, which Services and probes follow
{{- end -}}
{{- if hasKey (default (dict) $config.operations) "listen" }}
config.operations.listen: set `listenHost` and `ports.operations`
{{- end -}}
{{- if hasKey (default (dict) $config.http_check) "listen" }}
config.http_check.listen: set `listenHost` and `ports.httpCheck`
{{- end -}}
{{- if hasKey $config "tls" }}
config.tls: set `tls.enabled` and the values beside it, which mount the certificate
{{- end -}}
{{- $ports := list (int .Values.ports.grpc) (int .Values.ports.operations) -}}
{{- if $config.http_check -}}{{- $ports = append $ports (int .Values.ports.httpCheck) -}}{{- end -}}
{{- if ne (len $ports) (len (uniq $ports)) }}
ports: must differ from each other
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.catalog" -}}
{{- $catalog := .Values.catalog -}}
{{- $settings := default (dict) .Values.config.catalog -}}
{{- $sources := list -}}
{{- if $catalog.inline -}}{{- $sources = append $sources "catalog.inline" -}}{{- end -}}
{{- if $catalog.existingConfigMap -}}{{- $sources = append $sources "catalog.existingConfigMap" -}}{{- end -}}
{{- if $catalog.existingSecret -}}{{- $sources = append $sources "catalog.existingSecret" -}}{{- end -}}
{{- if $settings.redis -}}{{- $sources = append $sources "config.catalog.redis" -}}{{- end -}}
{{- if not $sources }}
catalog: say where it is, with one of `catalog.inline`, `catalog.existingConfigMap`, `catalog.existingSecret` and `config.catalog.redis`
{{- else if gt (len $sources) 1 }}
catalog: give one of {{ join ", " $sources }}, not {{ len $sources }}
{{- end -}}
{{- if $settings.file }}
config.catalog.file: set `catalog.inline`, `catalog.existingConfigMap` or `catalog.existingSecret`, which mount it
{{- end -}}
{{- if and $catalog.files (not $catalog.inline) }}
catalog.files: goes with `catalog.inline`; otherwise put the files beside the catalog
{{- end -}}
{{- if and $catalog.inline (ne $catalog.key "catalog.yaml") }}
catalog.key: is of `catalog.existingConfigMap` or `catalog.existingSecret`
{{- end -}}
{{- end -}}

{{/* The names of secrets that a section of the settings uses, one a line: `place name`. */}}
{{- define "extauthz.usedSecrets" -}}
{{- $place := .place -}}
{{- if kindIs "map" .value -}}
  {{- range $key, $value := .value -}}
    {{- $here := printf "%s.%s" $place $key -}}
    {{- $names := kindIs "slice" $value | ternary $value (list $value) -}}
    {{- $named := has $key (list "secret" "password" "token" "key" "keys" "client_secret" "access_token" "refresh_token" "nonce_secret" "headers_secret") -}}
    {{- if and $named $names (kindIs "string" (first $names)) -}}
      {{- range $names -}}{{- printf "%s %s\n" $here . -}}{{- end -}}
    {{- else -}}
      {{- include "extauthz.usedSecrets" (dict "place" $here "value" $value) -}}
    {{- end -}}
  {{- end -}}
{{- else if kindIs "slice" .value -}}
  {{- range $index, $value := .value -}}
    {{- include "extauthz.usedSecrets" (dict "place" (printf "%s[%d]" $place $index) "value" $value) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* What stands where a secret's name is wanted must be one of `secrets`: a secret itself would be in a ConfigMap. */}}
{{- define "extauthz.validate.secretNames" -}}
{{- $config := .Values.config -}}
{{- $known := concat (keys .Values.secrets) (keys (default (dict) $config.secrets)) | sortAlpha -}}
{{- /* What extensions are configured with is theirs; a header may be called `token`. */}}
{{- $ours := omit $config "secrets" "extensions" "upstream_headers" "tls" -}}
{{- $used := include "extauthz.usedSecrets" (dict "place" "config" "value" $ours) -}}
{{- range $index, $keyManager := default (list) .Values.catalog.inline.key_managers -}}
  {{- range $part := list "introspection" "userinfo" "jwt" -}}
    {{- $place := printf "catalog.inline.key_managers[%d].%s" $index $part -}}
    {{- $used = print $used (include "extauthz.usedSecrets" (dict "place" $place "value" (get $keyManager $part))) -}}
  {{- end -}}
{{- end -}}
{{- range splitList "\n" $used -}}
  {{- $parts := splitn " " 2 . -}}
  {{- if and $parts._1 (not (has $parts._1 $known)) }}
{{ $parts._0 }}: `{{ $parts._1 }}` is not one of `secrets` ({{ default "there are none" (join ", " $known) }})
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.secrets" -}}
{{- $variables := dict -}}
{{- range $name, $secret := .Values.secrets -}}
  {{- if hasKey (default (dict) $.Values.config.secrets) $name }}
secrets.{{ $name }}: is in `config.secrets` as well
  {{- end -}}
  {{- if eq (default "file" $secret.as) "env" -}}
    {{- $variable := include "extauthz.secretVariable" $name -}}
    {{- if hasKey $variables $variable }}
secrets.{{ $name }}: has the environment variable of `{{ get $variables $variable }}` ({{ $variable }}); use `as: file` or another name
    {{- end -}}
    {{- $_ := set $variables $variable $name -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* What `helm test` sends stands in a ConfigMap, too. */}}
{{- define "extauthz.validate.tests" -}}
{{- $requests := dict "test.allow" .Values.test.allow -}}
{{- range $index, $case := .Values.test.cases -}}
  {{- $_ := set $requests (printf "test.cases[%d].request" $index) (default (dict) $case.request) -}}
{{- end -}}
{{- range $place, $request := $requests -}}
  {{- range $name, $value := default (dict) $request.headers -}}
    {{- if and (kindIs "string" $value) (regexMatch "(?i)^((proxy-)?authorization|cookie|dpop|.*(api-?key|token|secret).*)$" $name) }}
{{ $place }}.headers.{{ $name }}: would stand in a ConfigMap; write `{env: NAME}`, with NAME in `test.secrets`
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.shutdown" -}}
{{- $seconds := include "extauthz.shutdownSeconds" . | int -}}
{{- if le (include "extauthz.terminationGracePeriodSeconds" . | int) $seconds }}
terminationGracePeriodSeconds: must be more than {{ $seconds }}: preStopSeconds + config.limits.drain_seconds + config.limits.grace_seconds; or leave it out
{{- end -}}
{{- if .Values.lifecycle.preStop -}}
{{- if .Values.preStopSeconds }}
lifecycle.preStop: takes the place of `preStopSeconds`; set that to 0
{{- end -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
lifecycle.preStop: its duration is not known here; set `terminationGracePeriodSeconds` so that it includes it
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.scaling" -}}
{{- $scaling := .Values.autoscaling -}}
{{- if $scaling.enabled -}}
{{- if lt (int $scaling.maxReplicas) (int $scaling.minReplicas) }}
autoscaling.maxReplicas: is less than `minReplicas`
{{- end -}}
{{- $requests := default (dict) .Values.resources.requests -}}
{{- if and $scaling.targetCPUUtilizationPercentage (not $requests.cpu) }}
autoscaling.targetCPUUtilizationPercentage: is a part of `resources.requests.cpu`, which is missing
{{- end -}}
{{- if and $scaling.targetMemoryUtilizationPercentage (not $requests.memory) }}
autoscaling.targetMemoryUtilizationPercentage: is a part of `resources.requests.memory`, which is missing
{{- end -}}
{{- $keda := $scaling.keda -}}
{{- if not (or $scaling.targetCPUUtilizationPercentage $scaling.targetMemoryUtilizationPercentage (ternary $keda.triggers $scaling.metrics $keda.enabled)) }}
autoscaling: give a target or `{{ ternary "keda.triggers" "metrics" $keda.enabled }}`
{{- end -}}
{{- if and $keda.enabled $scaling.metrics }}
autoscaling.metrics: are those of a HorizontalPodAutoscaler; with `keda.enabled` write `keda.triggers`
{{- end -}}
{{- if and $keda.enabled $keda.fallback (not $keda.triggers) }}
autoscaling.keda.fallback: is for `keda.triggers`; KEDA has none for CPU and memory
{{- end -}}
{{- else if .Values.autoscaling.keda.enabled }}
autoscaling.keda: is enabled, but `autoscaling.enabled` is false
{{- end -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if $budget.enabled -}}
{{- $fewest := include "extauthz.fewestReplicas" . | int -}}
{{- if and (kindIs "invalid" $budget.minAvailable) (kindIs "invalid" $budget.maxUnavailable) }}
podDisruptionBudget: give `minAvailable` or `maxUnavailable`
{{- end -}}
{{- if and (kindIs "invalid" $budget.minAvailable) (has (toString $budget.maxUnavailable) (list "0" "0%")) }}
podDisruptionBudget.maxUnavailable: with {{ $budget.maxUnavailable }} no node could ever be drained
{{- end -}}
{{- $least := $budget.minAvailable -}}
{{- if or (eq (toString $least) "100%") (and (not (kindIs "string" $least)) (not (kindIs "invalid" $least)) (ge (int $least) $fewest) (ge $fewest 2)) }}
podDisruptionBudget.minAvailable: with {{ $least }} of {{ $fewest }} pods no node could ever be drained
{{- end -}}
{{- end -}}
{{- $strategy := default (dict) .Values.updateStrategy.rollingUpdate -}}
{{- if eq .Values.updateStrategy.type "RollingUpdate" -}}
{{- if and (has (toString $strategy.maxSurge) (list "0" "0%")) (has (toString $strategy.maxUnavailable) (list "0" "0%")) }}
updateStrategy.rollingUpdate: with `maxSurge` and `maxUnavailable` 0 no pod could ever be replaced
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.tls" -}}
{{- $tls := .Values.tls -}}
{{- if $tls.enabled -}}
{{- if and $tls.certManager.enabled $tls.existingSecret }}
tls: give `existingSecret` or `certManager.enabled`, not both
{{- else if not (or $tls.certManager.enabled $tls.existingSecret) }}
tls: needs `existingSecret` or `certManager.enabled`
{{- end -}}
{{- if and $tls.certManager.enabled (not $tls.certManager.issuerRef.name) }}
tls.certManager.issuerRef.name: is missing
{{- end -}}
{{- if and $tls.certManager.enabled (or (ne $tls.certificateKey "tls.crt") (ne $tls.privateKeyKey "tls.key")) }}
tls.certificateKey, tls.privateKeyKey: cert-manager writes `tls.crt` and `tls.key`
{{- end -}}
{{- if and $tls.client.existingConfigMap $tls.client.existingSecret }}
tls.client: give `existingConfigMap` or `existingSecret`, not both
{{- end -}}
{{- if and $tls.client.names (not (or $tls.client.existingConfigMap $tls.client.existingSecret)) }}
tls.client.names: nobody's name is checked without the authorities in `tls.client.existingConfigMap` or `tls.client.existingSecret`
{{- end -}}
{{- if and (not $tls.client.names) (or $tls.client.existingConfigMap $tls.client.existingSecret) }}
tls.client.names: say which names Envoy's certificate may have
{{- end }}
{{- if and .Values.test.enabled (not .Values.test.tls.existingSecret) (or $tls.client.existingConfigMap $tls.client.existingSecret) }}
test.tls.existingSecret: `helm test` needs a client certificate as Envoy does; or set `test.enabled` to false
{{- end -}}
{{- else if or $tls.existingSecret $tls.certManager.enabled $tls.client.existingConfigMap $tls.client.existingSecret $tls.client.names }}
tls: is described, but `tls.enabled` is false
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.network" -}}
{{- $policy := .Values.networkPolicy -}}
{{- if $policy.enabled -}}
{{- if not (or $policy.ingress.gateways (and .Values.config.http_check $policy.ingress.httpCheck)) }}
networkPolicy.ingress.gateways: name the pods or namespaces of your gateways; nobody else may ask
{{- end -}}
{{- if and .Values.config.http_check (not $policy.ingress.httpCheck) }}
networkPolicy.ingress.httpCheck: name the proxy of `config.http_check`; it could not ask
{{- end -}}
{{- if and $policy.ingress.httpCheck (not .Values.config.http_check) }}
networkPolicy.ingress.httpCheck: nobody asks by HTTP without `config.http_check`
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not $policy.ingress.monitoring) }}
networkPolicy.ingress.monitoring: name your Prometheus; it could not read the metrics
{{- end -}}
{{- if $policy.egress.enabled -}}
{{- range $section := list "cache" "revocation" "catalog" -}}
{{- if and (hasKey (default (dict) (get $.Values.config $section)) "redis") (not (get $policy.egress.redis $section)) }}
networkPolicy.egress.redis.{{ $section }}: say where the Redis of `config.{{ $section }}.redis` is; it could not be reached
{{- end -}}
{{- end -}}
{{- if and .Values.config.traces (not $policy.egress.traces) }}
networkPolicy.egress.traces: say where the collector of `config.traces` is; it could not be reached
{{- end -}}
{{- end -}}
{{- else if and .Values.config.http_check (or .Values.tls.client.existingConfigMap .Values.tls.client.existingSecret) }}
config.http_check: has no TLS, so whoever has no certificate for `tls.client` could ask there; set `networkPolicy.enabled` and name the proxy in `networkPolicy.ingress.httpCheck`
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.service" -}}
{{- range $key := list "type" "selector" "ports" "trafficDistribution" "ipFamilyPolicy" "ipFamilies" -}}
{{- if hasKey $.Values.service.spec $key }}
service.spec.{{ $key }}: {{ if has $key (list "selector" "ports") }}is made by the chart, from `ports` and `service.port`{{ else }}set `service.{{ $key }}`{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.monitoring" -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.operationsService.enabled) }}
serviceMonitor: finds pods through `operationsService`, which is off
{{- end -}}
{{- end -}}

{{- define "extauthz.validate.resident" -}}
{{- $resident := .Values.resident -}}
{{- $config := $resident.config -}}
{{- if $resident.enabled -}}
{{- range $key := list "issuer" "audience" "clients" -}}
{{- if not (get $config $key) }}
resident.config.{{ $key }}: is missing, see docs/resident.md
{{- end -}}
{{- end -}}
{{- if hasKey $config "listen" }}
resident.config.listen: set `resident.port`
{{- end -}}
{{- if or (regexMatch "://[^@]*:[^@]*@" (default "" $config.database)) (regexMatch "(?i)[?&][a-z_]*passw(or)?d=" (default "" $config.database)) }}
resident.config.database: has a password, and would stand in a ConfigMap; give it to the driver by an environment variable (`resident.secrets`)
{{- end -}}
{{- if and $resident.persistence.enabled (not (hasPrefix "sqlite:////var/lib/extauthz/" (default "" $config.database))) }}
resident.persistence: is for `database: sqlite:////var/lib/extauthz/resident.db` in `resident.config`
{{- end -}}
{{- if and (not $resident.persistence.enabled) (hasPrefix "sqlite:///" (default "sqlite:///resident.db" $config.database)) (not (hasPrefix "sqlite:////tmp/" (default "" $config.database))) }}
resident.config.database: is a file where the pod cannot write; set `resident.persistence.enabled`, or `database: "sqlite://"` for one in memory
{{- end -}}
{{- if and (not $config.signing_key) (not $resident.persistence.enabled) }}
resident.config.signing_key: is missing; a generated one would end with the pod, and all tokens with it
{{- end -}}
{{- else if $config }}
resident: is described, but `resident.enabled` is false
{{- end -}}
{{- end -}}
