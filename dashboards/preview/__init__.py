"""The generated dashboards without Grafana: drawn from the same JSON, with live data."""
