"""Objectives and rules as data, emitted as Prometheus rule files; runbooks beside them."""
