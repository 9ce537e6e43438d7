"""The additions that pin images by digest: tags and digests are known."""

from __future__ import annotations

import re

import pytest
import yaml

from observability.stack.programs.digests import FILES
from observability.stack.programs.versions import RELEASES
from tests.parts import ROOT

# Public files name no digest of these images, or several for one tag.
UNKNOWN = {"promtail", "nginx-exporter", "postgres-exporter"}


@pytest.mark.parametrize("name", FILES)
def test_every_image_with_a_known_digest_is_pinned(name: str) -> None:
    services = yaml.safe_load((ROOT / FILES[name]).read_text())["services"]
    pinned = yaml.safe_load((ROOT / "deploy/digests" / name).read_text())["services"]
    tags = {service["image"] for service in services.values() if "$" not in service["image"]}
    unknown = {RELEASES[one].tag for one in UNKNOWN}
    assert {services[service]["image"] for service in pinned} == tags - unknown
    for service, found in pinned.items():
        tag, _, digest = found["image"].partition("@")
        assert tag == services[service]["image"]
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)


def test_no_two_images_share_a_digest() -> None:
    digests = [release.digest for release in RELEASES.values() if release.digest]
    assert len(set(digests)) == len(digests) == len(RELEASES) - len(UNKNOWN)
