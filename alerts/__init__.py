"""Objectives and rules as data, rendered into rule files; runbooks beside them."""
