"""Draws each board that a branch changes, before and after: ``make changed-boards``.

A platform of its own has the data, the preview draws both versions. Writes ``before/UID.png``,
``after/UID.png`` and ``summary.md``; nothing if no board changed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from dashboards.preview.application import BOARDS
from tests.browser.chromium import launch
from tests.parts import ROOT, free_port, request, wait_for
from tests.pictures import in_preview, save
from tests.stack.platform import Platform

FOLDER = str(BOARDS.relative_to(ROOT))
DATA = 'count_over_time(up{job="api"}[5m]) >= 18'  # scrapes: a minute and a half of them


def main() -> int:
    """Draw the boards that changed; 0 also if none did."""
    parser = argparse.ArgumentParser(prog="python -m tests.changed_boards", description=__doc__)
    parser.add_argument("base", nargs="?", default="origin/main", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=ROOT / "test-output/boards")
    options = parser.parse_args()
    changed = boards(options.base)
    text = summary(changed)
    print(text, end="")
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(step).open("a") as file:
            file.write(text)
    if changed:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "summary.md").write_text(text)
        draw(options.base, changed, options.out)
    return 0


def git(*arguments: str, root: Path = ROOT) -> str:
    """Return what git prints."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def boards(base: str, root: Path = ROOT) -> dict[str, str]:
    """Return uid → added, changed or removed, of boards changed since ``base``."""
    begin = git("merge-base", base, "HEAD", root=root).strip()
    lines = git("diff", "--no-renames", "--name-status", begin, "--", FOLDER, root=root)
    words = {"A": "added", "M": "changed", "D": "removed"}
    pairs = [line.split("\t") for line in lines.splitlines()]
    return {Path(name).stem: words[kind] for kind, name in pairs if name.endswith(".json")}


def summary(changed: dict[str, str]) -> str:
    """Return a list of the boards as Markdown."""
    if not changed:
        return "No dashboard changed.\n"
    rows = "".join(f"- `{uid}`: {how}\n" for uid, how in sorted(changed.items()))
    return f"Dashboards that changed, drawn by the preview (artifact *boards*):\n\n{rows}"


def draw(base: str, changed: dict[str, str], out: Path) -> None:
    """Write the pictures of both versions, of the same data."""
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "boards"
        checkout(base, [uid for uid, how in changed.items() if how != "added"], old)
        platform = Platform(Path(folder) / "run")
        try:
            platform.up()
            wait_for("data", lambda: platform.prometheus(DATA), 200)
            for when, files in (("before", old), ("after", BOARDS)):
                uids = [uid for uid in changed if (files / f"{uid}.json").exists()]
                with preview(platform, files) as address:
                    pictures(address, uids, out / when)
        finally:
            platform.down()


def checkout(base: str, uids: list[str], target: Path) -> None:
    """Write the boards as they were where we left ``base``."""
    begin = git("merge-base", base, "HEAD").strip()
    target.mkdir()
    for uid in uids:
        (target / f"{uid}.json").write_text(git("show", f"{begin}:{FOLDER}/{uid}.json"))


@contextmanager
def preview(platform: Platform, files: Path) -> Iterator[str]:
    """Serve a folder of boards with the platform's data; yield the address."""
    port = free_port()
    loki = platform.url("loki") if "loki" in platform.here() else ""
    command = [
        sys.executable, "-m", "dashboards.preview", "--port", str(port), "--boards", str(files),
        "--prometheus", platform.url("prometheus"), "--loki", loki,
    ]  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for("the preview", lambda: request("GET", address).status == 200)
            yield address
        finally:
            process.terminate()


def pictures(address: str, uids: list[str], out: Path) -> None:
    """Draw boards of one preview."""
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        show = in_preview(browser, address, 300)
        for uid in sorted(uids):
            save(show(uid), out / f"{uid}.png", whole=True)
            print(f"{out.name}/{uid}.png", flush=True)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
