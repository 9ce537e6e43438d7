"""The catalogue: every metric, label, span attribute and log field of MiniTwit, as data.

The services build their instruments from these objects, the dashboards and the rules their
expressions. What is not declared here cannot be used.
"""

from observability.catalog.labels import *  # noqa: F403
from observability.catalog.log_fields import *  # noqa: F403
from observability.catalog.metrics import *  # noqa: F403
from observability.catalog.span_attributes import *  # noqa: F403
