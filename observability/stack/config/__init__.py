"""The configuration of every component, rendered for each way to deploy."""
