{{/*
Every object has this name, whatever the release is called: there can be one installation in a cluster, and the process looks
for its Secret, its Lease and its webhook configuration under it.
*/}}
{{- define "skill-admission.name" -}}
skill-admission
{{- end -}}

{{- define "skill-admission.selectorLabels" -}}
app.kubernetes.io/name: skill-admission
app.kubernetes.io/component: webhook
{{- end -}}

{{/*
Labels of every object. The argument is a list of the root, the component and, where there are any, labels of this object alone,
which win over those of all.
*/}}
{{- define "skill-admission.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: skill-admission
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: skill-admission
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with merge dict (len . | eq 3 | ternary (last .) dict | default dict) ($root.Values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Labels and annotations of every object. The argument is a list of the root, the component and, where there are any, labels and
annotations of this object alone, which win over those of all.
*/}}
{{- define "skill-admission.meta" -}}
{{- $root := index . 0 -}}
{{- $labels := dict -}}
{{- $annotations := dict -}}
{{- if gt (len .) 2 -}}{{- $labels = index . 2 | default dict -}}{{- end -}}
{{- if gt (len .) 3 -}}{{- $annotations = index . 3 | default dict -}}{{- end -}}
labels:
  {{- include "skill-admission.labels" (list $root (index . 1) $labels) | nindent 2 }}
{{- with merge dict $annotations ($root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Labels of pods: nothing that changes with the chart alone, which would replace them. The argument is a list of the root, the
component and, where there are any, labels of these pods alone, which win over those of all objects.
*/}}
{{- define "skill-admission.podLabels" -}}
app.kubernetes.io/name: skill-admission
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: skill-admission
{{- with merge dict (len . | eq 3 | ternary (last .) dict | default dict) ((index . 0).Values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A digest says exactly which bytes run, so it stands in the place of the tag. */}}
{{- define "skill-admission.image" -}}
{{- $registry := (.Values.global | default dict).imageRegistry | default "" | trimSuffix "/" -}}
{{- with .Values.image -}}
{{- $repository := .repository -}}
{{- if $registry -}}
{{- /* What stands before the first slash is a registry where it has a dot or a port, or is localhost. */ -}}
{{- $repository = printf "%s/%s" $registry (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" .repository "") -}}
{{- end -}}
{{- if .digest -}}
{{ $repository }}@{{ .digest }}
{{- else -}}
{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Of the chart, and of a chart that this one is a part of, which may name them without "name:". */}}
{{- define "skill-admission.pullSecrets" -}}
{{- $names := list -}}
{{- range concat (.Values.image.pullSecrets | default list) ((.Values.global | default dict).imagePullSecrets | default list) -}}
{{- $name := . -}}
{{- if kindIs "map" . -}}{{- $name = .name -}}{{- end -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- with $names | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "skill-admission.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "skill-admission.name" .) }}
{{- end -}}

{{/* Account of a job. The argument is a list of the root and the job's component. */}}
{{- define "skill-admission.jobAccount" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.serviceAccount.create -}}
{{ include "skill-admission.name" $root }}-{{ index . 1 }}
{{- else -}}
{{ include "skill-admission.serviceAccount" $root }}
{{- end -}}
{{- end -}}

{{/* Pod Security "restricted"; nobody's choice but the user, whom OpenShift wants to choose. */}}
{{- define "skill-admission.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "skill-admission.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where pods may run; the same for the webhook and for the job that unregisters it. */}}
{{- define "skill-admission.scheduling" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where the authorities of client certificates come from: a volume's source, as YAML; empty where everyone may ask. */}}
{{- define "skill-admission.clientCA" -}}
{{- with .Values.webhook.clientCA -}}
{{- if .pem -}}
configMap:
  name: skill-admission-client-ca
{{- else if .configMap -}}
configMap:
  name: {{ .configMap | quote }}
{{- else if .secret -}}
secret:
  secretName: {{ .secret | quote }}
  defaultMode: 288 # 0440; octal means one thing to YAML 1.1 and another to 1.2
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What no schema can say. Each message ends with what to do. */}}
{{- define "skill-admission.validate" -}}
{{- if eq .Release.Namespace "default" -}}
{{- fail "install into a namespace of its own: the controller's namespace is never checked, and every pod in \"default\" would get past. Add --namespace skill-admission --create-namespace" -}}
{{- end -}}
{{- if eq (int .Values.webhook.port) (int .Values.metrics.port) -}}
{{- fail (printf "webhook.port and metrics.port are both %d: set one of them to another port" (int .Values.webhook.port)) -}}
{{- end -}}
{{- if and (eq .Values.certificates.source "CertManager") (not .Values.certificates.caKey) (not .Values.certificates.certManager.issuerRef) -}}
{{- fail "certificates.caKey is empty, but an authority made by cert-manager is known to nobody else: leave certificates.caKey at ca.crt" -}}
{{- end -}}
{{- if eq .Values.certificates.source "CertManager" -}}
{{- $hours := dict -}}
{{- range $name := list "duration" "renewBefore" "caDuration" -}}
{{- $_ := set $hours $name (get $.Values.certificates.certManager $name | trimSuffix "h" | int) -}}
{{- end -}}
{{- if lt $hours.renewBefore 192 -}}
{{- fail "certificates.certManager.renewBefore is less than 192h: an alert tells of certificates that end within seven days, and would never be silent. Renew earlier" -}}
{{- end -}}
{{- if le $hours.duration $hours.renewBefore -}}
{{- fail "certificates.certManager.duration is not longer than renewBefore: a certificate would be due before it is made. Make it longer" -}}
{{- end -}}
{{- if le $hours.caDuration $hours.duration -}}
{{- fail "certificates.certManager.caDuration is not longer than duration: certificates would outlive their authority. Make it longer" -}}
{{- end -}}
{{- end -}}
{{- with .Values.webhook.clientCA -}}
{{- $sources := compact (list .pem .configMap .secret) | len -}}
{{- if gt $sources 1 -}}
{{- fail "webhook.clientCA takes its authorities from one place: leave only one of pem, configMap and secret" -}}
{{- end -}}
{{- if and $sources (not .names) -}}
{{- fail "webhook.clientCA.names is empty, and an authority may sign for many: name whom to review for, such as the common name of the API server's client certificate" -}}
{{- end -}}
{{- if and .names (not $sources) -}}
{{- fail "webhook.clientCA.names is for certificates of an authority, and there is none: set webhook.clientCA.pem, configMap or secret, or leave the names out" -}}
{{- end -}}
{{- end -}}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create is false, and serviceAccount.name is empty: name the account that is there, or have the chart make one" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.apiServerPorts) -}}
{{- fail "networkPolicy.apiServerPorts is empty, and a rule without ports opens all: name the port of the API server, or leave the default" -}}
{{- end -}}
{{- if and .Values.trust.tuf.mirrors (not .Values.trust.tuf.egressPorts) -}}
{{- fail "trust.tuf.egressPorts is empty, and a rule without ports opens all: name the ports of the mirrors, or leave the default" -}}
{{- end -}}
{{- if and .Values.trust.tuf.caConfigMap (not .Values.trust.tuf.mirrors) -}}
{{- fail "trust.tuf.caConfigMap is for mirrors, and there is none: name them in trust.tuf.mirrors, or leave it out" -}}
{{- end -}}
{{- end -}}

{{/* Annotations of what is there for `helm test` alone; the argument is the weight. */}}
{{- define "skill-admission.canaryHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* Annotations of what runs before anything is deleted; the argument is the weight. */}}
{{- define "skill-admission.unregisterHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
