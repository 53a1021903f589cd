{{/* What `helm test` expects: a refusal, an allowed request, and the cases of the values. */}}
{{- define "extauthz.expectations" -}}
{{- $cases := list (include "extauthz.refusedCase" . | fromYaml) -}}
{{- with include "extauthz.allowedCase" . | fromYaml -}}{{- $cases = append $cases . -}}{{- end -}}
{{- dict "cases" (concat $cases .Values.test.cases) | toYaml -}}
{{- end -}}

{{/* Two readings of one path: refused whatever the catalog says (docs/matching.md). */}}
{{- define "extauthz.refusedCase" -}}
{{- $request := dict "url" "https://extauthz.invalid/a%2fb" -}}
{{- if .Values.config.shadow -}}
{{- dict "name" "a path with two readings is let through, in shadow mode" "request" $request "expect" (dict "decision" "allow") | toYaml -}}
{{- else -}}
{{- dict "name" "a path with two readings is refused" "request" $request "expect" (dict "decision" "deny") | toYaml -}}
{{- end -}}
{{- end -}}

{{/* What says which request must be allowed; empty: nothing does. */}}
{{- define "extauthz.allowedBy" -}}
{{- $allowed := dict -}}
{{- range .Values.test.cases -}}{{- if eq .expect.decision "allow" -}}{{- $_ := set $allowed "case" . -}}{{- end -}}{{- end -}}
{{- if .Values.test.allow -}}
test.allow
{{- else if $allowed -}}
test.cases
{{- else if include "extauthz.openRequest" . | fromYaml -}}
an open resource
{{- end -}}
{{- end -}}

{{/* The request that must be allowed; nothing where one of `test.cases` is. A test that tries none must not pass. */}}
{{- define "extauthz.allowedCase" -}}
{{- $name := include "extauthz.allowedBy" . -}}
{{- $request := dict "url" "https://extauthz.invalid/test.allow" -}}
{{- $expect := dict "decision" "allow" -}}
{{- if eq $name "test.cases" -}}
{{- else if eq $name "test.allow" -}}
{{- $request = .Values.test.allow -}}
{{- else if $name -}}
{{- $request = include "extauthz.openRequest" . | fromYaml -}}
{{- $_ := set $expect "api" $request.api -}}
{{- end -}}
{{- if ne $name "test.cases" -}}
{{- dict "name" (default "test.allow is not set" $name) "request" $request "expect" $expect | toYaml -}}
{{- end -}}
{{- end -}}

{{/* A request for the first open resource of an inline catalog that is a plain path; `api`, as a route would name it. */}}
{{- define "extauthz.openRequest" -}}
{{- $requests := list -}}
{{- range $api := default (list) .Values.catalog.inline.apis -}}
{{- $context := trimSuffix "/" (replace "{version}" $api.version $api.context) -}}
{{- $certificates := ne (default "off" (default (dict) $api.security).mutual_tls) "off" -}}
{{- range $resource := $api.resources -}}
{{- $url := printf "https://extauthz.invalid%s%s" $context $resource.template -}}
{{- $plain := and (regexMatch "^[-A-Za-z0-9:/._~]+$" $url) (has "GET" $resource.methods) -}}
{{- if and $plain $resource.open (not $certificates) (ne (default "PUBLISHED" $api.state) "BLOCKED") -}}
{{- $requests = append $requests (dict "url" $url "api" $api.id) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- first (append $requests (dict)) | toYaml -}}
{{- end -}}
