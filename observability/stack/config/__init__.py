"""The configuration of every component, rendered for three environments."""
