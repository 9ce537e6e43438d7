"""The simulator: a client that drives MiniTwit and reports what it saw."""
