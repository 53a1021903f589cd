{{- define "extauthz.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 letters, so that suffixes fit into the 63 of a DNS label. */}}
{{- define "extauthz.fullname" -}}
{{- $name := include "extauthz.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "extauthz.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "extauthz.image" -}}
{{- $image := .Values.image -}}
{{- $name := $image.repository -}}
{{- if $image.registry -}}{{- $name = printf "%s/%s" (trimSuffix "/" $image.registry) $name -}}{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What a Service selects pods by; takes the root and the component. Never changes during the life of a release. */}}
{{- define "extauthz.selector" -}}
app.kubernetes.io/name: {{ include "extauthz.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The labels of an object, or of a pod with `labels` alone; what a selector needs wins over what a value says. */}}
{{- define "extauthz.labels" -}}
{{- $selector := include "extauthz.selector" . | fromYaml -}}
{{- toYaml (merge (dict) $selector (default (dict) .labels) .root.Values.commonLabels) -}}
{{- end -}}

{{- define "extauthz.annotations" -}}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The metadata of an object; takes root, component, name, and optionally namespace, labels and annotations. */}}
{{- define "extauthz.metadata" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" -}}
{{- $standard := dict "helm.sh/chart" $chart "app.kubernetes.io/version" .root.Chart.AppVersion "app.kubernetes.io/part-of" (include "extauthz.name" .root) "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $labels := merge (dict) $standard (default (dict) .labels) -}}
name: {{ .name }}
namespace: {{ default .root.Release.Namespace .namespace }}
labels:
  {{- include "extauthz.labels" (dict "root" .root "component" .component "labels" $labels) | nindent 2 }}
{{- with include "extauthz.annotations" . }}
{{ . }}
{{- end }}
{{- end -}}

{{/* A map as YAML without what is `null`, at any depth: that is how a value takes a default away. */}}
{{- define "extauthz.given" -}}
{{- $given := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $given $key (include "extauthz.given" $value | fromYaml) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $given $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $given -}}
{{- end -}}

{{/* Of every Service. */}}
{{- define "extauthz.ipFamilies" -}}
{{- with .Values.service.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.service.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
