{{/* What pods of the data plane, of the key manager and of the test have in common. */}}
{{- define "extauthz.podBasics" -}}
serviceAccountName: {{ include "extauthz.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "extauthz.given" .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.schedulerName }}
schedulerName: {{ . | quote }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
dnsPolicy: {{ .Values.dnsPolicy }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "extauthz.containerBasics" -}}
image: {{ include "extauthz.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "extauthz.given" .Values.securityContext | nindent 2 }}
{{- with .Values.command }}
command:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "extauthz.tmpVolume" -}}
name: tmp
emptyDir: {sizeLimit: {{ .Values.tmpSizeLimit }}}
{{- end -}}

{{/* A probe with the check of the chart, unless it has one of its own; takes probe and check. */}}
{{- define "extauthz.probe" -}}
{{- $own := false -}}
{{- range list "grpc" "httpGet" "tcpSocket" "exec" -}}
{{- if hasKey $.probe . -}}{{- $own = true -}}{{- end -}}
{{- end -}}
{{- $ownCheck := ternary (dict) (.check | fromYaml) $own -}}
{{- toYaml (merge (dict) .probe $ownCheck) -}}
{{- end -}}

{{/* The affinity of the data plane. */}}
{{- define "extauthz.affinity" -}}
{{- if .Values.affinity -}}
{{- toYaml .Values.affinity -}}
{{- else if eq .Values.podAntiAffinity "hard" -}}
podAntiAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "extauthz.selector" (dict "root" . "component" "data-plane") | nindent 10 }}
{{- else if eq .Values.podAntiAffinity "soft" -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "extauthz.selector" (dict "root" . "component" "data-plane") | nindent 12 }}
{{- end -}}
{{- end -}}

{{- define "extauthz.fewestReplicas" -}}
{{- if .Values.autoscaling.enabled -}}
{{- .Values.autoscaling.minReplicas | int -}}
{{- else if kindIs "invalid" .Values.replicaCount -}}
2
{{- else -}}
{{- .Values.replicaCount | int -}}
{{- end -}}
{{- end -}}
