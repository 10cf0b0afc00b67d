{{- define "certwright.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "certwright.labels" -}}
app.kubernetes.io/name: certwright
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
