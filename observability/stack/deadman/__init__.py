"""The dead man's switch: reports that alerts no longer arrive, by another way."""
