"""The query by which ``make status`` finds when a bad sample was scraped."""

from __future__ import annotations

from pathlib import Path

import yaml

from observability.stack.local.checks import scrape_times
from tests.alerts.conftest import Promtool


def test_the_time_of_a_scrape_is_not_that_of_the_query(promtool: Promtool, tmp_path: Path) -> None:
    """Two probes, scraped at 0 and 60 s, asked for at 90 s; one fails."""
    samples = {'probe_success{probe="bad"}': "1 0", 'probe_success{probe="good"}': "1 1"}
    case = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": v} for name, v in samples.items()],
                "promql_expr_test": [
                    {
                        "expr": scrape_times("probe_success", "!= 1"),
                        "eval_time": "90s",
                        "exp_samples": [{"labels": '{probe="bad"}', "value": 60}],
                    }
                ],
            }
        ],
    }
    path = tmp_path / "case.yml"
    path.write_text(yaml.safe_dump(case))
    done = promtool("test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
