"""Dashboards as code: a layer over grafanalib, generated into JSON for Grafana."""
