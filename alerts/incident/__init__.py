"""The draft of a post-mortem: what an incident looked like, from what the monitoring recorded."""
