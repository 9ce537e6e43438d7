"""The simulator: a load generator for MiniTwit that reports what it saw."""
