"""An alert's case with only the rules it needs, since promtool is slow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.dashboards.expressions import metrics

CASES = Path(__file__).parent / "cases"
LINES = "log_lines_total"
Rule = dict[str, Any]


def read(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return the groups of rule files.

    Loki alone evaluates rules on log lines. Here a counter stands for the lines, of which its
    ``rate`` is the same.
    """
    counted = [text.replace("rate({", f"rate({LINES}{{") for text in texts]
    return [group for text in counted for group in yaml.safe_load(text)["groups"]]


def needed(alert: str, rules: list[Rule]) -> list[Rule]:
    """The rules of ``alert``, and all rules that these read, however far that leads."""
    found: list[Rule] = []
    left = [rule for rule in rules if rule.get("alert") == alert]
    while left:
        rule = left.pop()
        if rule not in found:
            found.append(rule)
            read = metrics(rule["expr"])
            left += [other for other in rules if other.get("record") in read]
            if "ALERTS" in read:
                left += [o for o in rules if "alert" in o and o["alert"] in rule["expr"]]
    return found


def write(alert: str, texts: dict[str, str], folder: Path) -> Path:
    """Write the case of ``alert`` and its rules into ``folder``, in their groups."""
    groups = read(texts.values())
    wanted = needed(alert, [rule for group in groups for rule in group["rules"]])
    kept = [
        {**group, "rules": rules}
        for group in groups
        if (rules := [rule for rule in group["rules"] if rule in wanted])
    ]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": kept}))
    case = yaml.safe_load((CASES / f"{alert}.yml").read_text())
    case["rule_files"] = ["rules.yml"]
    if order := case.get("group_eval_order"):
        case["group_eval_order"] = [n for n in order if n in {group["name"] for group in kept}]
    (folder / "case.yml").write_text(yaml.safe_dump(case))
    return folder / "case.yml"
