"""Where the monitoring programs come from."""
