"""The distribution's packages, unpacked into the tool cache, without root or installation."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFEST = "packages"
ASSETS = b"/usr/share/prometheus/alertmanager"


def folder(cache: Path) -> Path:
    """Return the folder of the packages, by distribution release and architecture."""
    try:
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")
    except OSError:
        codename = "none"
    return cache / f"debian-{codename}-{platform.machine()}"


def possible() -> bool:
    """Return whether this machine has packages that can be unpacked (apt)."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def fetch(packages: set[str], cache: Path) -> str:
    """Unpack ``packages`` into the cache once; return '' or why that failed."""
    if not possible():
        return ""
    root = folder(cache)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / "install.lock"):
            if not packages <= _unpacked(root):
                # In one write: archives are fetched at the same time, and say so too.
                text = "Fetching the distribution's packages (about 45 MB) ...\n"
                print(text, end="", flush=True)
                with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as beside:
                    fresh = _unpack(packages, Path(beside))
                    if root.exists():
                        root.rename(Path(beside) / "old")
                    fresh.rename(root)
    except OSError as error:
        return f"(Fetching from the archive failed: {error})"
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "no message").strip().splitlines()[-1]
        return f"(The archive gave nothing: {last})"
    return ""


def _unpacked(root: Path) -> set[str]:
    """Return the packages unpacked earlier."""
    manifest = root / MANIFEST
    return set(manifest.read_text().split()) if manifest.exists() else set()


def _unpack(packages: set[str], work: Path) -> Path:
    """Unpack all packages into a folder.

    With an apt state of its own: no root, no lock of the system.
    """
    apt = [
        *("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=4"),
        *("-o", "Acquire::https::Timeout=4"),
        *("-qq", "-o", f"Dir::State={work}/state", "-o", f"Dir::Cache={work}/cache"),
        *("-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "Acquire::Languages=none"),
        *("-o", "APT::Install-Recommends=false", "-o", f"APT::Sandbox::User={_user()}"),
    ]
    for folder in ("state/lists/partial", "cache/archives/partial", "debs", "root"):
        (work / folder).mkdir(parents=True)
    # One broken third-party source fails the update, even if all we need was fetched.
    update = _run("apt-get", *apt, "update", check=False)
    known = set(_run("apt-cache", *apt, "pkgnames").stdout.split())
    wanted = packages & known
    if not wanted:
        update.check_returncode()
        raise OSError("it knows none of the packages")
    plan = _run("apt-get", *apt, "--simulate", "install", *sorted(wanted)).stdout.splitlines()
    planned = {line.split()[1] for line in plan if line.startswith("Inst ")}
    # Their dependencies: shared libraries, and Prometheus's web assets.
    wanted |= {name for name in planned if name.startswith(("lib", "fonts-"))}
    _run("apt-get", *apt, "download", *sorted(wanted), cwd=work / "debs")
    for deb in (work / "debs").glob("*.deb"):
        _run("dpkg", "--extract", str(deb), str(work / "root"))
    # Remember missing packages, so that they are not requested each time.
    (work / "root" / MANIFEST).write_text("\n".join(sorted(wanted | packages)) + "\n")
    _relocate(work / "root/usr/bin/prometheus-alertmanager")
    return work / "root"


def _relocate(alertmanager: Path) -> None:
    """Make Debian's Alertmanager find its templates, whose folder is compiled in.

    The path is replaced by one of the same length that means ".": it is started in that folder.
    """
    if alertmanager.exists():
        code = alertmanager.read_bytes()
        alertmanager.write_bytes(code.replace(ASSETS, b".".ljust(len(ASSETS), b"/")))


def libraries(root: Path) -> Path:
    """Return the shared-library folders of the unpacked packages."""
    triplet = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    return root / "usr/lib" / triplet


def _user() -> str:
    return "root" if os.geteuid() == 0 else "_apt"


def _run(
    *command: str, cwd: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, check=check, capture_output=True, text=True)


@contextmanager
def locked(path: Path, what: str = "") -> Iterator[None]:
    """Hold the lock ``path``; while another process does, print that it does ``what``."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if what:
                print(f"Another process {what}: waiting for it ...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
