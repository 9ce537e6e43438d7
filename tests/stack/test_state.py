"""Which last words of a component mean that it cannot read its state."""

from __future__ import annotations

from pathlib import Path

import pytest

from observability.stack.local.state import set_aside
from observability.stack.settings import load

PROMETHEUS = 'level=ERROR msg="Fatal error" err="opening storage failed: {}"'
LOKI = 'level=error msg="error running loki" err="{}"'
CHAT = 'level=ERROR msg="Unable to create silences" err="{}"'


def moved(folder: Path, name: str, line: str) -> bool:
    settings = load({"RUN_DIR": str(folder)})
    (settings.data / name).mkdir(parents=True)
    settings.logs.mkdir()
    (settings.logs / f"{name}.log").write_text(f"started\n{line}\n")
    return set_aside(settings, name) is not None


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("prometheus", PROMETHEUS.format("lock DB directory: resource temporarily unavailable")),
        ("prometheus", PROMETHEUS.format("open wal/00000001: too many open files")),
        ("prometheus", PROMETHEUS.format("mmap: cannot allocate memory")),
        ("prometheus", PROMETHEUS.format("read wal/00000001: input/output error")),
        ("prometheus", PROMETHEUS.format("open chunks_head: Disk quota exceeded")),
        ("prometheus", PROMETHEUS.format("open wal: permission denied")),
        ("loki", LOKI.format("stat wal: stale NFS file handle")),
        ("loki", LOKI.format("open tsdb-shipper-active: too many open files")),
        ("loki", LOKI.format("failed parsing config: yaml: unmarshal errors")),
        ("loki", LOKI.format("delete requests store: timeout")),
        ("alertmanager", CHAT.format("open silences: too many open files")),
        # What they write in health, before they are killed.
        ("loki", 'level=warn msg="WAL segment recovery finished" elapsed=1ms errors=false'),
        ("prometheus", 'level=INFO msg="WAL segment loaded" segment=0 maxSegment=1 err=null'),
    ],
)
def test_what_an_empty_folder_does_not_mend_is_left(tmp_path: Path, name: str, line: str) -> None:
    assert not moved(tmp_path, name, line)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("prometheus", PROMETHEUS.format("corruption in segment wal/00000001 at 12")),
        ("prometheus", PROMETHEUS.format("unexpected end of JSON input")),
        ("loki", LOKI.format("invalid checksum of a segment of the wal")),
        ("alertmanager", CHAT.format("unexpected EOF")),
    ],
)
def test_damage_is_set_aside(tmp_path: Path, name: str, line: str) -> None:
    assert moved(tmp_path, name, line)
