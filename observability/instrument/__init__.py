"""Instrumentation that runs inside the services."""
