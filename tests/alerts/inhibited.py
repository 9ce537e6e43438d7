"""Tables of what inhibits what, from Alertmanager's configuration."""

from __future__ import annotations

import re
from typing import Any

import yaml

from alerts.draining import DRAINING
from observability.conventions import MONITORING_BLIND
from tests.parts import ROOT

CONFIG = ROOT / "deploy/generated/alertmanager.yml"
MATCHER = re.compile(r'(\w+)(=~|!=|!~|=)"(.*)"')
ANY = ("service", "=~", ".+")  # an alert without a service is no symptom of one


def rules() -> list[dict[str, Any]]:
    """Return Alertmanager's inhibition rules."""
    found: list[dict[str, Any]] = yaml.safe_load(CONFIG.read_text())["inhibit_rules"]
    return found


def inhibitions() -> str:
    """Return a row for each cause, with all that it inhibits."""
    rows: dict[str, list[str]] = {}
    for rule in rules():
        equal = [f"the same {' and '.join(rule['equal'])}"] if "equal" in rule else []
        targets = " with ".join([_alerts(rule["target_matchers"]), *equal])
        rows.setdefault(_alerts(rule["source_matchers"]), []).append(targets)
    return _table("while this fires", "these are inhibited", rows)


def draining() -> str:
    """Return a row for each draining alert: how long after which causes it fires."""
    rows = {
        _short(name): [f"until {seconds:g} s after the end of {_names('|'.join(causes))}"]
        for name, (seconds, causes) in DRAINING.items()
    }
    return _table("alert", "fires", rows)


def _table(head: str, other: str, rows: dict[str, list[str]]) -> str:
    lines = [f"| {left} | {'; '.join(cells)} |" for left, cells in rows.items()]
    return "\n".join([f"| {head} | {other} |", "| --- | --- |", *lines]) + "\n"


def _alerts(matchers: list[str]) -> str:
    """Return the alerts that matchers select; ValueError if one is not known."""
    found = {}
    for text in matchers:
        part = MATCHER.fullmatch(text)
        if not part or part[1] not in ("alertname", "severity", "service"):
            raise ValueError(f"say in {__name__} what this selects: {text}")
        label, operator, value = part.groups()
        if (label, operator, value) != ANY:
            found[label] = (operator, value)
    operator, value = found.get("alertname", ("=", ""))
    text = _names(value) or f"any {found.pop('severity')[1]} alert"
    text = f"all but {text}" if operator == "!~" else text
    if "service" in found:
        operator, service = found["service"]
        where = f"of {service}" if operator == "=" else f"of any service but {service}"
        text = f"{where}: {text}" if "," in text else f"{text} {where}"
    return text


def _names(pattern: str) -> str:
    return ", ".join(_short(name) for name in pattern.split("|"))


def _short(name: str) -> str:
    return name if name == MONITORING_BLIND else name.removeprefix("MiniTwit")
