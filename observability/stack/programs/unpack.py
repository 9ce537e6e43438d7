"""Unpacks a verified archive: all of it or nothing, and only what runs."""

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
# Python's first releases of 3.11 have no filters. What is unpacked was verified.
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def unpack(archive: Path, target: Path, programs: Collection[str], version: str) -> None:
    """Make ``target`` from the archive in one step, with these programs in it or in its bin/.

    ``StackError`` if one of them is not there or does not say that it is of ``version``.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=WORK) as folder:
        root = _extract(archive, Path(folder) / "new")
        for name in programs:
            _prove(_locate(root, name), version)
        root.chmod(0o755)
        root.rename(target)


def sweep(cache: Path) -> None:
    """Remove what an unpacking that was killed left; only while nobody else unpacks."""
    for folder in cache.glob(WORK + "*"):
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> Path:
    """All files; without the one folder around them, whatever its name."""
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
    """The program under its plain name (``loki-linux-amd64`` is renamed), executable."""
    for folder in (root, root / "bin"):
        for found in (folder / name, *folder.glob(f"{name}-linux-*")):
            if found.is_file():
                found.chmod(0o755)  # zipfile drops the bit
                return found.rename(folder / name)
    raise StackError(f"there is no {name} in the archive")


def _prove(program: Path, version: str) -> None:
    ran, text = probe.said(program)
    if not ran or probe.parse(text) != probe.parse(version):
        raise StackError(f"{program.name} {version} does not run here: {text[:200] or 'no word'}")
