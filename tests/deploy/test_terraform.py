"""The infrastructure as far as it can be checked without its providers: form, and what is open."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml

from tests.parts import ROOT

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
    assert start["ssh_pwauth"] is False
    files = {file["path"]: file["content"] for file in start["write_files"]}
    assert "PasswordAuthentication no" in files["/etc/ssh/sshd_config.d/10-minitwit.conf"]
    assert "unattended-upgrades" in start["packages"]


def test_every_label_that_the_stack_asks_for_is_on_a_machine() -> None:
    asked = set(re.findall(r"node\.labels\.(\w+)", (ROOT / "stack.yml").read_text()))
    given = set(re.findall(r'labels = \["(\w+)"\]', (FOLDER / "nodes.tf").read_text()))
    assert asked == given


def test_what_is_secret_is_marked_so() -> None:
    outputs = re.findall(r'output "(\w+)" \{(.*?)\n\}', (FOLDER / "outputs.tf").read_text(), re.S)
    secret = {name for name, body in outputs if "sensitive = true" in body}
    assert secret == {"database_password", "database_ca", "tls_certificate", "tls_key"}
