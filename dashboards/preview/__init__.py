"""The preview: the generated dashboards without Grafana, with live data."""
