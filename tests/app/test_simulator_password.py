"""The simulator's password, with which one posts as anyone: the course's is one for loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from app.settings import COURSE
from tests.parts import PATIENCE, ROOT, Service, start_service, wait_for

OPEN = "0.0.0.0"  # noqa: S104  # that is what is tested


def test_without_one_api_serves_loopback_alone(app_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "api"],
        cwd=ROOT, env={**os.environ, "HOST": OPEN, "PORT": "0", "DATABASE_URL": app_url},
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "api: SIMULATOR_PASSWORD is not set\n"


def test_the_courses_is_allowed_with_a_warning(app_url: str, tmp_path: Path) -> None:
    own = {"HOST": OPEN, "DATABASE_URL": app_url}
    with start_service("api", tmp_path, SIMULATOR_PASSWORD=COURSE, port=None, **own) as api:
        assert api.get("/msgs", Authorization="Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh").status == 200
        [line] = wait_for("the warning", lambda: warned(api))
        assert line["level"] == "warning" and COURSE not in str(line)
    with start_service("api", tmp_path, SIMULATOR_PASSWORD="another", port=None, **own) as api:
        assert api.get("/msgs", Authorization="Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh").status == 403
        assert not warned(api)


def warned(api: Service) -> list[dict[str, object]]:
    """Return the warnings of the password; clients of the port's last owner cause others."""
    return [line for line in api.logs() if "may post as anyone" in line["message"]]
