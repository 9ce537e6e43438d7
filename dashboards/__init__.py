"""Dashboards as code: a modern layer over grafanalib, generated into JSON for Grafana."""
