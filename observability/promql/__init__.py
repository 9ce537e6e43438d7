"""PromQL and LogQL as expressions that know their labels."""
