"""The catalogue: every metric, label, span attribute and log field of MiniTwit, as data."""

from observability.catalog.metrics import *  # noqa: F403
