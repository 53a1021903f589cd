{{/* Where the parts of the configuration are mounted. */}}
{{- define "extauthz.folder" -}}/etc/extauthz{{- end -}}

{{- define "extauthz.catalogVolume" -}}
{{- if .Values.catalog.existingConfigMap -}}
configMap: {name: {{ .Values.catalog.existingConfigMap | quote }}, defaultMode: 0440}
{{- else if .Values.catalog.existingSecret -}}
secret: {secretName: {{ .Values.catalog.existingSecret | quote }}, defaultMode: 0440}
{{- else if .Values.catalog.inline -}}
configMap: {name: {{ include "extauthz.fullname" . }}-catalog, defaultMode: 0440}
{{- end -}}
{{- end -}}

{{/* The environment variable of a secret with `as: env`. */}}
{{- define "extauthz.secretVariable" -}}
{{- printf "EXTAUTHZ_SECRET_%s" (regexReplaceAll "[^A-Z0-9]" (upper .) "_") -}}
{{- end -}}

{{/* `secrets:` of the settings: where each is, and where it may go. */}}
{{- define "extauthz.secretSettings" -}}
{{- $folder := printf "%s/secrets" (include "extauthz.folder" .) -}}
{{- $settings := dict -}}
{{- range $name, $secret := .Values.secrets -}}
  {{- $place := dict "file" (printf "%s/%s" $folder $name) -}}
  {{- if eq (default "file" $secret.as) "env" -}}{{- $place = dict "env" (include "extauthz.secretVariable" $name) -}}{{- end -}}
  {{- with $secret.hosts -}}{{- $_ := set $place "hosts" . -}}{{- end -}}
  {{- $_ := set $settings $name $place -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{- define "extauthz.tlsSettings" -}}
{{- $tls := .Values.tls -}}
{{- $folder := include "extauthz.folder" . -}}
certificate: {{ $folder }}/tls/{{ $tls.certificateKey }}
key: {{ $folder }}/tls/{{ $tls.privateKeyKey }}
reload_seconds: {{ $tls.reloadSeconds }}
{{- if or $tls.client.existingConfigMap $tls.client.existingSecret }}
client_ca: {{ $folder }}/client-ca/{{ $tls.client.key }}
{{- with $tls.client.names }}
client_names:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The whole settings file: `config`, and what the chart knows. */}}
{{- define "extauthz.settings" -}}
{{- $settings := deepCopy .Values.config -}}
{{- $_ := set $settings "listen" (printf "%s:%v" .Values.listenHost .Values.ports.grpc) -}}
{{- $operations := default (dict) $settings.operations -}}
{{- $_ := set $operations "listen" (printf "%s:%v" .Values.listenHost .Values.ports.operations) -}}
{{- $_ := set $settings "operations" $operations -}}
{{- with $settings.http_check -}}
{{- $_ := set . "listen" (printf "%s:%v" $.Values.listenHost $.Values.ports.httpCheck) -}}
{{- end -}}
{{- if include "extauthz.catalogVolume" . -}}
{{- $catalog := default (dict) $settings.catalog -}}
{{- $_ := set $catalog "file" (printf "%s/catalog/%s" (include "extauthz.folder" .) .Values.catalog.key) -}}
{{- $_ := set $settings "catalog" $catalog -}}
{{- end -}}
{{- if .Values.tls.enabled -}}
{{- $_ := set $settings "tls" (include "extauthz.tlsSettings" . | fromYaml) -}}
{{- end -}}
{{- $secrets := merge (default (dict) $settings.secrets) (include "extauthz.secretSettings" . | fromYaml) -}}
{{- if $secrets -}}{{- $_ := set $settings "secrets" $secrets -}}{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* What of them pods take over only as other pods: all, or what a running process does not (docs/settings.md). */}}
{{- define "extauthz.restartingSettings" -}}
{{- $settings := include "extauthz.settings" . | fromYaml -}}
{{- if .Values.restartOnConfigChange -}}
{{- toYaml $settings -}}
{{- else -}}
{{- $kept := pick $settings "listen" "tls" "grpc" "metrics" "http_check" -}}
{{- $_ := set $kept "operations" (pick $settings.operations "listen") -}}
{{- $_ := set $kept "dpop" (pick (default (dict) $settings.dpop) "replay_entries") -}}
{{- toYaml $kept -}}
{{- end -}}
{{- end -}}

{{/* A number of `config.limits`, or its default in the program (a test holds the two together). */}}
{{- define "extauthz.limit" -}}
{{- $defaults := dict "check_seconds" 2.5 "drain_seconds" 5.0 "grace_seconds" 10.0 -}}
{{- get (merge (dict) (default (dict) .root.Values.config.limits) $defaults) .name -}}
{{- end -}}

{{/* Seconds from the removal of a pod to the end of its last Check. */}}
{{- define "extauthz.shutdownSeconds" -}}
{{- $drain := include "extauthz.limit" (dict "root" . "name" "drain_seconds") | float64 -}}
{{- $grace := include "extauthz.limit" (dict "root" . "name" "grace_seconds") | float64 -}}
{{- addf .Values.preStopSeconds $drain $grace | ceil | int -}}
{{- end -}}

{{- define "extauthz.terminationGracePeriodSeconds" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- add (include "extauthz.shutdownSeconds" . | int) 5 -}}
{{- else -}}
{{- .Values.terminationGracePeriodSeconds | int -}}
{{- end -}}
{{- end -}}

{{/* The timeout that Envoy's side needs: above `limits.check_seconds`. */}}
{{- define "extauthz.checkTimeout" -}}
{{- addf (include "extauthz.limit" (dict "root" . "name" "check_seconds") | float64) 0.5 -}}s
{{- end -}}

{{/* The same for Gateway API, whose durations have no fractions. */}}
{{- define "extauthz.checkTimeoutMilliseconds" -}}
{{- mulf (include "extauthz.checkTimeout" . | trimSuffix "s" | float64) 1000 | ceil | int -}}ms
{{- end -}}
