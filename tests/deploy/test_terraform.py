"""The Terraform files as far as they can be checked without providers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.parts import ROOT

SIZES = '{ manager = "", worker = "", monitoring = "" }'
FOLDER = ROOT / "deploy/terraform"


def test_it_is_formatted_which_also_says_that_it_parses() -> None:
    if not shutil.which("terraform"):
        pytest.skip("no terraform on this machine: deploy/terraform is NOT parsed")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(FOLDER)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_firewall_opens_the_world_nothing_but_ports_of_the_simulator() -> None:
    text = (FOLDER / "firewall.tf").read_text()
    rules = re.findall(r"inbound_rule[^{]*\{(.*?)\n  \}", text, re.S)
    assert len(rules) == 4
    for rule in rules:
        assert "0.0.0.0/0" not in rule
        assert "var.simulators" not in rule or '["5000", "5001"]' in rule
    assert "nginx/cloudflare.txt" in (FOLDER / "firewall.tf").read_text()


def test_machines_take_keys_only_and_update_themselves() -> None:
    start = yaml.safe_load((FOLDER / "cloud-init.yml").read_text())
    docker = start_files(start)["/etc/docker/daemon.json"]
    assert json.loads(docker)["no-new-privileges"], "a stack cannot say so of its services"
    assert start["ssh_pwauth"] is False
    files = {file["path"]: file["content"] for file in start["write_files"]}
    assert "PasswordAuthentication no" in files["/etc/ssh/sshd_config.d/10-minitwit.conf"]
    assert "unattended-upgrades" in start["packages"]


def start_files(start: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["content"] for file in start["write_files"]}


def test_no_two_machines_restart_at_the_same_time() -> None:
    """Evaluated by terraform itself, which needs no provider for that."""
    if not shutil.which("terraform"):
        pytest.skip("no terraform on this machine: the times of restarts are NOT tested")
    text = (FOLDER / "nodes.tf").read_text()
    with tempfile.TemporaryDirectory() as folder:
        found = re.findall(r"^locals \{.*?^\}", text, re.S | re.M)
        (Path(folder) / "main.tf").write_text(
            "\n".join(found) + '\nvariable "sizes" { default = ' + SIZES + " }\n"
        )
        done = subprocess.run(
            ["terraform", f"-chdir={folder}", "console"],
            input="jsonencode(local.reboot)", capture_output=True, text=True, check=True,
        )  # fmt: skip
    times = json.loads(json.loads(done.stdout))
    assert len(set(times.values())) == len(times) == 4
    assert "${reboot}" in (FOLDER / "cloud-init.yml").read_text()


def test_nobody_comes_past_cloudflare_unless_it_is_said() -> None:
    text = (FOLDER / "variables.tf").read_text()
    [simulators] = re.findall(r'variable "simulators" \{(.*?)\n\}', text, re.S)
    assert re.search(r"default\s+= \[\]", simulators)
    assert "length(var.simulators) > 0" in (FOLDER / "firewall.tf").read_text()


def test_the_state_is_encrypted() -> None:
    [backend] = re.findall(
        r'backend "s3" \{(.*?)\n  \}', (FOLDER / "versions.tf").read_text(), re.S
    )
    assert "encrypt = true" in backend


JOIN = """#!/bin/sh
# It reads nothing, and the token is more than a pipe holds.
echo "$*" >>"$CALLS"
case "$*" in
*"hostname"*) echo node ;;
*"join-token"*) head -c 200000 /dev/zero | tr '\\0' t ;;
esac
"""


def test_no_machine_joins_whose_key_is_not_known(tmp_path: Path) -> None:
    (ssh := tmp_path / "ssh").write_text(JOIN)
    ssh.chmod(0o755)
    nodes = {
        "manager": {"public": "192.0.2.1", "private": "10.0.0.1", "labels": ["edge"]},
        "worker-1": {"public": "192.0.2.2", "private": "10.0.0.2", "labels": ["app"]},
    }
    environment = {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"),
    }  # fmt: skip

    def join(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / "deploy/swarm-join.sh")], input=json.dumps(nodes), env=environment | more,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert join().returncode != 0
    assert not (tmp_path / "calls").exists()
    (known := tmp_path / "known").write_text("192.0.2.1 ssh-ed25519 AAAA\n")
    if not shutil.which("jq"):
        pytest.skip("no jq on this machine: swarm-join.sh is NOT run")
    assert join(KNOWN_HOSTS=str(known)).returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len([call for call in calls if "root@" in call]) >= 6
    for call in calls:
        if "root@" in call:
            assert "StrictHostKeyChecking=yes" in call and f"UserKnownHostsFile={known}" in call


def test_every_label_that_the_stack_asks_for_is_on_a_machine() -> None:
    asked = set(re.findall(r"node\.labels\.(\w+)", (ROOT / "stack.yml").read_text()))
    given = set(re.findall(r'labels = \["(\w+)"\]', (FOLDER / "nodes.tf").read_text()))
    assert asked == given


def test_what_is_secret_is_marked_so() -> None:
    outputs = re.findall(r'output "(\w+)" \{(.*?)\n\}', (FOLDER / "outputs.tf").read_text(), re.S)
    secret = {name for name, body in outputs if "sensitive = true" in body}
    assert secret == {"database_password", "database_ca", "tls_certificate", "tls_key"}
