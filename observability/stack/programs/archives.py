"""Official release archives, each downloaded once into the tool cache."""

from __future__ import annotations

import platform
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from observability.stack.programs import download, tools, unpack
from observability.stack.programs.download import Download
from observability.stack.programs.packages import locked
from observability.stack.programs.versions import RELEASES
from observability.stack.settings import Settings, StackError

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
AGAIN = 600.0  # seconds for which `up` does not retry an unreachable network
UNREACHED = "unreached"  # file in the cache: the time and the error


def architecture() -> str:
    """Return ``amd64`` or ``arm64``, as the archives name it; other values unchanged."""
    machine = platform.machine().lower()
    return ARCHITECTURES.get(machine, machine)


def missing(cache: Path, releases: Collection[str] = tuple(RELEASES)) -> list[str]:
    """Return the releases with an archive for this machine that are not in the cache."""
    arch = architecture()
    return [
        name
        for name in RELEASES
        if name in releases and RELEASES[name].url(arch) and not tools.folder(name, cache).exists()
    ]


def there(name: str, cache: Path) -> bool:
    """Return whether the archive of a release is in the cache."""
    return name in RELEASES and tools.folder(name, cache).exists()


def fetch(
    settings: Settings, releases: Collection[str] = tuple(RELEASES), *, patient: bool = True
) -> str:
    """Download missing archives into the cache; return why some could not be, or ''.

    Unless ``patient``, a network that did not answer a moment ago is not tried again.
    ``StackError`` if a file's hash is not the pinned one.
    """
    cache = settings.cache
    if not missing(cache, releases):
        return ""
    if not patient and (why := _lately(cache)):
        return why
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / "archives.lock", "fetches programs into the same cache"):
        unpack.sweep(cache)
        wanted = missing(cache, releases)  # another process may have fetched them meanwhile
        if not wanted:
            return ""
        print(f"Fetching {', '.join(wanted)} ...\n", end="", flush=True)
        downloads = [_into_cache(name, settings) for name in wanted]
        _start(downloads)
        problems = [d.error or _install(d, cache) for d in downloads]
    return _remember(cache, [problem for problem in problems if problem])


def fill(folder: Path, mirror: str = "") -> list[Path]:
    """Download every archive for every architecture into a folder to serve as a mirror."""
    downloads = [
        _download(name, arch, mirror, folder / path(name, arch))
        for name, release in RELEASES.items()
        for arch in release.sha256
    ]
    _start(downloads)
    if failed := [d.error for d in downloads if d.error]:
        raise StackError("\n".join(failed))
    return [d.target for d in downloads]


def path(name: str, arch: str) -> str:
    """Return an archive's path below a mirror, with the version that some names lack."""
    return f"{name}/{RELEASES[name].version}/{RELEASES[name].url(arch).rpartition('/')[2]}"


def _into_cache(name: str, settings: Settings) -> Download:
    """Download under a name with the version: other versions' partial files are not resumed."""
    arch = architecture()
    file = settings.cache / "downloads" / f"{name}-{RELEASES[name].version}-{arch}"
    return _download(name, arch, settings.mirror, file)


def _download(name: str, arch: str, mirror: str, target: Path) -> Download:
    url = f"{mirror.rstrip('/')}/{path(name, arch)}" if mirror else RELEASES[name].url(arch)
    return Download(name, url, RELEASES[name].sha256[arch], target)


def _start(downloads: Sequence[Download]) -> None:
    for one in downloads:
        one.target.parent.mkdir(parents=True, exist_ok=True)
        one.over = one.target.exists() and download.digest(one.target) == one.sha256
    download.fetch([one for one in downloads if not one.over])


def _install(fetched: Download, cache: Path) -> str:
    """Unpack and remove the archive; return why that failed, or ''."""
    names = [t.names[0] for t in tools.TOOLS.values() if t.release == fetched.name]
    target = tools.folder(fetched.name, cache)
    try:
        unpack.unpack(fetched.target, target, names, RELEASES[fetched.name].version)
    except StackError as error:
        return str(error)
    except OSError as error:
        return f"{target}: {error.strerror or error}"
    finally:
        fetched.target.unlink(missing_ok=True)
    return ""


def _remember(cache: Path, problems: list[str]) -> str:
    note = cache / UNREACHED
    if not problems:
        note.unlink(missing_ok=True)
        return ""
    why = "; ".join(dict.fromkeys(problems))
    note.write_text(why)
    return why


def _lately(cache: Path) -> str:
    note = cache / UNREACHED
    if not note.exists() or (age := time.time() - note.stat().st_mtime) > AGAIN:
        return ""
    return f"{note.read_text()}; {age:.0f} s ago, make install tries again"
