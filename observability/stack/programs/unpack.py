"""Unpacks a verified archive atomically, and only if its programs run."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from observability.stack.programs import probe
from observability.stack.settings import StackError

WORK = ".unpack-"
# The first releases of Python 3.11 have no filters. The archive is verified.
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def unpack(archive: Path, target: Path, programs: Collection[str], version: str) -> None:
    """Unpack the archive to ``target`` atomically, with these programs in it or in bin/.

    ``StackError`` if one of them is missing or does not report ``version``.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=WORK) as folder:
        root = _extract(archive, Path(folder) / "new")
        for name in programs:
            _prove(_locate(root, name), version)
        root.chmod(0o755)
        root.rename(target)


def sweep(cache: Path) -> None:
    """Remove what a killed unpacking left; only while nobody else unpacks."""
    for folder in cache.glob(WORK + "*"):
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> Path:
    """Extract all files, without the single top folder, whatever its name."""
    folder.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)  # noqa: S202  # it was verified
        else:
            with tarfile.open(archive) as packed_tar:
                packed_tar.extractall(folder, **SAFELY)  # noqa: S202
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise StackError(f"{archive.name} cannot be unpacked: {error}") from None
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _locate(root: Path, name: str) -> Path:
    """Rename a program to its plain name (from ``loki-linux-amd64``), executable."""
    for folder in (root, root / "bin"):
        for found in (folder / name, *folder.glob(f"{name}-linux-*")):
            if found.is_file():
                found.chmod(0o755)  # zipfile drops the executable bit
                return found.rename(folder / name)
    raise StackError(f"there is no {name} in the archive")


def _prove(program: Path, version: str) -> None:
    ran, text = probe.said(program)
    if not ran or probe.parse(text) != probe.parse(version):
        raise StackError(f"{program.name} {version} does not run here: {text[:200] or 'no word'}")
