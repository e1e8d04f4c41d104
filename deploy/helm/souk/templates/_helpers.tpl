{{- define "souk.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 29 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for -projector-<workload> behind it: a StatefulSet has 52 letters at most, for its pods have labels with more. */}}
{{- define "souk.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 29 | trimSuffix "-" }}
{{- else if contains (include "souk.name" .) .Release.Name }}
{{- .Release.Name | trunc 29 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "souk.name" .) | trunc 29 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "souk.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "souk.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "souk.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* By what pods are found. Takes (list $ component). */}}
{{- define "souk.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "souk.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "souk.labels" -}}
{{- $root := index . 0 -}}
{{ include "souk.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: souk
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* An environment variable from the secret with the databases' addresses. Takes (list $ variable key). */}}
{{- define "souk.env.database" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ required "databases.existingSecret: name the secret with the addresses of the databases" (index . 0).Values.databases.existingSecret }}
      key: {{ index . 2 }}
{{- end }}

{{- define "souk.env.telemetry" -}}
- name: SOUK_LOG
  value: {{ .Values.telemetry.log | quote }}
- name: SOUK_LOG_FORMAT
  value: {{ .Values.telemetry.logFormat | quote }}
{{- with .Values.telemetry.otlpEndpoint }}
- name: SOUK_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "souk.env.kafka" -}}
- name: SOUK_KAFKA_BROKERS
  value: {{ required "kafka.brokers: name the bootstrap servers" .Values.kafka.brokers | quote }}
{{- with .Values.kafka.topicPrefix }}
- name: SOUK_TOPIC_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- $security := .Values.kafka.security }}
{{- if ne $security.protocol "PLAINTEXT" }}
- name: SOUK_KAFKA_SECURITY
  value: {{ $security.protocol | quote }}
{{- if hasPrefix "SASL_" $security.protocol }}
{{- $secret := required "kafka.security.existingSecret: name the secret with user and password" $security.existingSecret }}
- name: SOUK_KAFKA_MECHANISM
  value: {{ $security.mechanism | quote }}
- name: SOUK_KAFKA_USER
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $security.userKey }}}
- name: SOUK_KAFKA_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $security.passwordKey }}}
{{- end }}
{{- if include "souk.kafkaCa" . }}
- name: SOUK_KAFKA_CA
  value: /etc/souk/kafka/ca.pem
{{- end }}
{{- end }}
{{- end }}

{{/* Says something if a file of authorities for Kafka is mounted. */}}
{{- define "souk.kafkaCa" -}}
{{- $security := .Values.kafka.security }}
{{- if and $security.caKey (hasSuffix "SSL" $security.protocol) }}true{{ end }}
{{- end }}

{{- define "souk.kafkaCaMount" -}}
{{- if include "souk.kafkaCa" . }}
- {name: kafka-ca, mountPath: /etc/souk/kafka, readOnly: true}
{{- end }}
{{- end }}

{{- define "souk.kafkaCaVolume" -}}
{{- if include "souk.kafkaCa" . }}
- name: kafka-ca
  secret:
    secretName: {{ required "kafka.security.existingSecret: name the secret with the authorities" .Values.kafka.security.existingSecret }}
    items: [{key: {{ .Values.kafka.security.caKey }}, path: ca.pem}]
{{- end }}
{{- end }}

{{- define "souk.env.model" -}}
- name: SOUK_MODEL_DIR
  value: {{ .Values.embedding.modelDir | quote }}
- name: SOUK_ONNXRUNTIME
  value: {{ .Values.embedding.onnxruntime | quote }}
{{- with .Values.embedding.models }}
- name: SOUK_MODELS
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}

{{- define "souk.env.adminKey" -}}
- name: SOUK_ADMIN_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.adminKey.existingSecret }}
      key: {{ .Values.adminKey.key }}
{{- end }}

{{- define "souk.env.accounts" -}}
- name: SOUK_MASTER_KEYS
  valueFrom:
    secretKeyRef:
      name: {{ .Values.accounts.existingSecret }}
      key: {{ .Values.accounts.masterKeys }}
- name: SOUK_MAIL_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.accounts.existingSecret }}
      key: {{ .Values.accounts.mailUrl }}
{{- with .Values.accounts.mailFrom }}
- name: SOUK_MAIL_FROM
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The pod's name: that of the node in reports, which stands for the index folder on its volume. */}}
{{- define "souk.env.node" -}}
- name: SOUK_NODE
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}

{{/* What a pod is run as and where. Takes (list $ component values-of-the-workload). */}}
{{- define "souk.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $scheduling := merge (deepCopy (index . 2).scheduling) $root.Values.scheduling -}}
serviceAccountName: {{ include "souk.serviceAccountName" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $root.Values.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $root.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "souk.selector" (list $root $component) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "souk.container" -}}
image: {{ include "souk.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/*
Started and alive is who answers. Neither asks another server, so that none is restarted because PostgreSQL or Kafka is
away. Takes (dict "port" name "ready" path); without "ready" the container has no say in whether its pod is ready.
*/}}
{{- define "souk.probes" -}}
startupProbe:
  httpGet: {path: /health/live, port: {{ .port }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /health/live, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
{{- with .ready }}
readinessProbe:
  httpGet: {path: {{ . }}, port: {{ $.port }}}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 3
{{- end }}
{{- end }}

{{/* Stays reachable until balancers have heard that the pod goes. Takes seconds. */}}
{{- define "souk.drain" -}}
lifecycle:
  preStop:
    exec:
      command: [sleep, {{ . | quote }}]
{{- end }}

{{/*
The index writer beside a process that reads its index: they share a volume. It has no readiness: while Kafka is away it
is not ready, and searches have to go on. Takes (list $ values-of-the-index-writer).
*/}}
{{- define "souk.indexWriter" -}}
{{- $root := index . 0 -}}
- name: index-writer
  {{- include "souk.container" $root | nindent 2 }}
  command: [projector, --roles, index]
  env:
    {{- include "souk.env.database" (list $root "SOUK_READ_DATABASE_URL" $root.Values.databases.keys.projectorRead) | nindent 4 }}
    {{- include "souk.env.kafka" $root | nindent 4 }}
    {{- include "souk.env.node" . | nindent 4 }}
    - name: SOUK_PROJECTOR_LISTEN
      value: 0.0.0.0:8082
    - name: SOUK_SCRUB_SECONDS
      value: {{ (index . 1).scrubSeconds | quote }}
    {{- include "souk.env.telemetry" $root | nindent 4 }}
    {{- with (index . 1).extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - {name: writer, containerPort: 8082}
  {{- include "souk.probes" (dict "port" "writer") | nindent 2 }}
  {{- include "souk.drain" 10 | nindent 2 }}
  resources:
    {{- toYaml (index . 1).resources | nindent 4 }}
  volumeMounts:
    - {name: index, mountPath: /var/lib/souk/index}
    - {name: tmp, mountPath: /tmp}
    {{- include "souk.kafkaCaMount" $root | nindent 4 }}
{{- end }}

{{/* A claim for an index folder of one node. Takes the values of the volume. */}}
{{- define "souk.indexClaim" -}}
- metadata:
    name: index
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .storageClassName }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ .size }}
{{- end }}
