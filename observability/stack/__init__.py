"""The platform without Docker: configuration of every component, and their runner."""
