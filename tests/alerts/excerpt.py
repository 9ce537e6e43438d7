"""An alert's case with only the rules it needs, since promtool is slow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from alerts.rule_files import LOKI
from tests.dashboards.expressions import metrics

CASES = Path(__file__).parent / "cases"
Rule = dict[str, Any]


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
                left += [other for other in rules if other.get("alert", " ") in rule["expr"]]
    return found


def write(alert: str, texts: dict[str, str], folder: Path) -> Path:
    """Write the case of ``alert`` and its rules into ``folder``, in their groups."""
    files = [text for name, text in texts.items() if not name.startswith(LOKI)]
    groups = [group for text in files for group in yaml.safe_load(text)["groups"]]
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
