"""LogQL built from the labels that Promtail sets: unknown labels fail at generation.

Labels select a stream and are few (``catalog.LOG_LABELS``); structured metadata filters line
by line (``catalog.LOG_METADATA``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from observability.catalog import EVENTS, LOG_FIELDS, LOG_LABELS, LOG_METADATA
from observability.conventions import PRODUCT
from observability.promql.builders import Matcher
from observability.promql.expr import ExprError

INTERVAL = "$__interval"


def lines(
    contains: str = "",
    metadata: Mapping[str, str | Matcher] = MappingProxyType({}),
    /,
    **labels: str | Matcher,
) -> str:
    """Select log lines that contain a text, if any, with this metadata and these labels."""
    event = labels.get("event")
    if isinstance(event, str) and event not in EVENTS:
        raise ExprError(f"there is no event {event!r}: {', '.join(EVENTS)}")
    chosen = _matchers({"job": PRODUCT, **labels}, LOG_LABELS)
    text = "{" + ",".join(chosen) + "}"
    text += "".join(f" | {one}" for one in _matchers(metadata, LOG_METADATA))
    return f'{text} |= "{contains}"' if contains else text


def rate_of(selected: str, *by: str, window: str = INTERVAL) -> str:
    """Return lines per second by the labels ``by``, over ``window``."""
    if unknown := set(by) - set(LOG_LABELS) - set(LOG_METADATA):
        raise ExprError(f"no log label {', '.join(sorted(unknown))}")
    return f"sum by ({', '.join(by)}) (rate({selected} [{window}]))"


def _matchers(wanted: Mapping[str, str | Matcher], known: tuple[str, ...]) -> list[str]:
    if unknown := set(wanted) - set(known):
        raise ExprError(f"no {', '.join(sorted(unknown))} among {', '.join(known)}")
    matchers = {k: v if isinstance(v, Matcher) else Matcher("=", v) for k, v in wanted.items()}
    return [f'{name}{m.operator}"{m.value}"' for name, m in matchers.items()]


# The fields shown in a list of lines, besides the time; the details have the rest.
LINE = (
    "{{ .level | ToUpper | alignLeft 8 }} {{ .service | alignLeft 4 }} "
    "{{ if .status }}{{ .status }} {{ .method }} {{ .route }} {{ .duration_ms }} ms  {{ end }}"
    "{{ .message }}"
)
if unknown_fields := set(re.findall(r"\.(\w+)", LINE)) - set(LOG_FIELDS):
    raise ExprError(f"no log field {', '.join(sorted(unknown_fields))}")


def readable(selected: str) -> str:
    """Format the ``selected`` JSON lines as level, service, request and message."""
    return f"{selected} | json | line_format `{LINE}`"
