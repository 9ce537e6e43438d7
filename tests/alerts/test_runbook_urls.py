"""The overview leads from an alert that fires to its runbook, wherever the runbooks are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dashboards.boards.overview import firing
from tests.alerts.conftest import Promtool

BASE = "https://code.example.org/runbooks"
FIRING = 'severity="critical",service="api"'


@pytest.mark.parametrize(
    ("watchdog", "address"),
    [(BASE, f"{BASE}/MiniTwitBurnRate.md"), ("", "/MiniTwitBurnRate.md")],
    ids=["as the Watchdog says", "without a Watchdog"],
)
def test_the_address_of_the_runbook(
    watchdog: str, address: str, promtool: Promtool, tmp_path: Path
) -> None:
    alert = f'alertname="MiniTwitBurnRate1h",{FIRING}'
    series = {
        f'ALERTS{{{alert},alertstate="firing"}}': 1,
        f"ALERTS_FOR_STATE{{{alert}}}": 5,
    }
    if watchdog:
        labels = 'alertname="Watchdog",alertstate="firing",severity="none"'
        series[f'ALERTS{{{labels},runbook_base="{watchdog}"}}'] = 1
    base = f', runbook_base="{watchdog}"' if watchdog else ""
    labels = f'alertname="MiniTwitBurnRate1h", page="{address}"{base}, {FIRING}'
    expected = {
        "expr": firing().text,
        "eval_time": "0s",
        "exp_samples": [{"labels": f"{{{labels}}}", "value": 5000}],
    }
    inputs = [{"series": name, "values": f"{value}"} for name, value in series.items()]
    case = {"tests": [{"input_series": inputs, "promql_expr_test": [expected]}]}
    (tmp_path / "case.yml").write_text(yaml.safe_dump(case))
    done = promtool("test", "rules", tmp_path / "case.yml")
    assert done.returncode == 0, done.stdout + done.stderr
