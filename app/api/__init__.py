"""The JSON API: the simulator's contract, and what the web service needs."""
