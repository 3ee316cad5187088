"""The monitoring room: metrics, alerts and dashboards."""
