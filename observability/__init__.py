"""The instrumentation library, and the configuration of the monitoring stack."""
