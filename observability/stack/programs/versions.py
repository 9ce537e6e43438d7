"""The table of versions: archives, compose, Swarm, and supported versions on PATH.

``version`` is that of the archives and of the image tags in compose.yaml and stack.yml. Hashes are
SHA-256 by architecture; each came from public packaging files that pin it, not from a download of
our own. The comments tell how many independent ones agree. ``digest`` is that of the image's index
of all architectures, from public files that name image, tag and digest together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PROMETHEUS = "https://github.com/prometheus"
COMMUNITY = "https://github.com/prometheus-community"
GRAFANA = "https://github.com/grafana"


@dataclass(frozen=True, slots=True)
class Release:
    """One release; ``archive`` and ``image`` are templates with ``version`` and ``arch``.

    A program on PATH is used if its version is at least ``minimum`` and less than ``below``.
    """

    version: str
    image: str
    licence: str
    minimum: str = ""
    below: str = ""
    archive: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def tag(self) -> str:
        """The image with its tag."""
        return self.image.format(version=self.version)

    def url(self, arch: str) -> str:
        """Return the URL of the archive for an architecture; '' if its hash is unknown."""
        return self.archive.format(version=self.version, arch=arch) if arch in self.sha256 else ""


RELEASES = {
    "prometheus": Release(
        "3.15.0",
        "prom/prometheus:v{version}",
        "Apache-2.0",
        minimum="2.42",  # Debian 12's: the rules' test cases pass with it
        archive=PROMETHEUS
        + "/prometheus/releases/download/v{version}/prometheus-{version}.linux-{arch}.tar.gz",
        sha256={
            # 8 sources and more
            "amd64": "2a542df32eac02ee17b9d844fb2aa1de00dafa5476579ba8a3ba862e9d572ea0",
            # 2 sources
            "arm64": "f1f90ec08e849d494ca66c611470afc50192f0355f1a61c33f2cbde02d067823",
        },
        # 9 sources and more
        digest="sha256:efd719c99d83b060d9daefdcf00360461adf279f45ef5391f8d111892118753e",
    ),
    "alertmanager": Release(
        "0.34.1",
        "prom/alertmanager:v{version}",
        "Apache-2.0",
        minimum="0.25",
        archive=PROMETHEUS
        + "/alertmanager/releases/download/v{version}/alertmanager-{version}.linux-{arch}.tar.gz",
        sha256={
            # 8 sources and more
            "amd64": "265b9d1e55ef0d5306a436018af6d2b686c2ce051f03d968f7464ecb1372a7e8",
            # 3 sources
            "arm64": "d98d6cbaf52151c7e76e24355fec88b11cebcb9875d4cdd8b76ddce7a7e5535c",
        },
        # 6 sources and more
        digest="sha256:e9733bafb1bdef9b00e25a21f8f99dc26a22224bf16641ad754d1649f4c3357a",
    ),
    "blackbox": Release(
        "0.28.0",
        "prom/blackbox-exporter:v{version}",
        "Apache-2.0",
        minimum="0.23",
        archive=PROMETHEUS + "/blackbox_exporter/releases/download/v{version}/"
        "blackbox_exporter-{version}.linux-{arch}.tar.gz",
        sha256={
            # 7 sources and more
            "amd64": "caf5d242fb1cf6d5cb678f3f799f22703d4fafea26b03dcbbd7e1f1825e06329",
            # 6 sources
            "arm64": "63312be0983d85e5109710a7dc93df3051157ae581853fa3655d171cc1b2806e",
        },
        # 7 sources and more
        digest="sha256:e753ff9f3fc458d02cca5eddab5a77e1c175eee484a8925ac7d524f04366c2fc",
    ),
    "node": Release(
        "1.12.1",
        "prom/node-exporter:v{version}",
        "Apache-2.0",
        minimum="1.5",
        archive=PROMETHEUS
        + "/node_exporter/releases/download/v{version}/node_exporter-{version}.linux-{arch}.tar.gz",
        sha256={
            # 7 sources and more
            "amd64": "b51d8a76aa2a9156a55d501aca6276fae09e262259a5e4e831d2c2222f084e63",
            # 2 sources
            "arm64": "ad35b605f9954b9f1ffddf5ba054bdc5a98d790b9eae5291e1eeb83f1ecbd0e7",
        },
        # 5 sources, one says that it is the index; 3 name another digest for this tag
        digest="sha256:1b4e4438faca4dd7e001dd445d161a4a2091b0fededa84093b3a8dfeae1f1be0",
    ),
    "postgres-exporter": Release(
        "0.20.1",
        "prometheuscommunity/postgres-exporter:v{version}",  # sources disagree on its digest
        "Apache-2.0",
        minimum="0.11",
        archive=COMMUNITY + "/postgres_exporter/releases/download/v{version}/"
        "postgres_exporter-{version}.linux-{arch}.tar.gz",
        sha256={
            # 1 source
            "amd64": "89d4f7e7920cad48fdc3133f789556ef5253c330a9f5fdace3bdb6344c0a8b5a",
            # 1 source, the same
            "arm64": "d5d86fb98bb1f26b088d1a6fda07fd6b6f035cb5d40492f75ec3bfebb5ddfe9d",
        },
    ),
    "grafana": Release(
        "13.2.3",
        "grafana/grafana:{version}",
        "AGPL-3.0",
        minimum="12.0",
        # The URL with the build's number: the one without it has served other bytes.
        archive="https://dl.grafana.com/grafana/release/{version}/"
        "grafana_{version}_36482603486_linux_{arch}.tar.gz",
        sha256={
            # 8 sources and more
            "amd64": "6107ad27016296aac38e0d7ffa8753ab540b5541ad27e94790f771289d733235",
            # 2 sources
            "arm64": "a2a41b960ba4c25e83140484e48813730d3c81891a128439a2a9d2df6eb3840e",
        },
        # 5 sources and more
        digest="sha256:b28bae15e219c998fb0e0424ed724930cc61b1f61fb404d47c862f9a23f9e572",
    ),
    "loki": Release(
        "3.7.8",
        "grafana/loki:{version}",
        "AGPL-3.0",
        minimum="3.5",
        archive=GRAFANA + "/loki/releases/download/v{version}/loki-linux-{arch}.zip",
        # 8 sources and more; none for arm64: PATH or a container there
        sha256={"amd64": "62aea42c9cba52cd1642b3666ab37019a0ce4c24ab50b07e85dccc8d812f7d61"},
        # 6 sources; one project names another digest for this tag
        digest="sha256:1107dd5274e0ada47e42472b7a7e71f3b2a2fe878878108f3e2f9e51528f0193",
    ),
    "promtail": Release(
        "3.6.11",  # the last release
        "grafana/promtail:{version}",  # no source has its digest
        "AGPL-3.0",
        minimum="3.5",
        archive=GRAFANA + "/loki/releases/download/v{version}/promtail-linux-{arch}.zip",
        # 1 source; none for arm64: PATH or a container there
        sha256={"amd64": "f87d72358531cc7008a23667cc68cc726e75115cd08829507215e49b4ca921ec"},
    ),
    "tempo": Release(
        "2.10.8",
        "grafana/tempo:{version}",
        "AGPL-3.0",
        minimum="2.9",
        below="3.0",  # which rejects ingester and compactor blocks in its configuration
        archive=GRAFANA + "/tempo/releases/download/v{version}/tempo_{version}_linux_{arch}.tar.gz",
        # No source has the hash of the archive, so none is fetched: PATH or a container.
        # 6 sources
        digest="sha256:f0561deb1c68ec44d6e6e7e4487f30106c4e5e768642077695b37958b105812a",
    ),
    "postgres": Release(
        "18.6",
        "postgres:{version}",
        "PostgreSQL",
        # 8 sources and more, one says that it is the index; older ones name older builds of the tag
        digest="sha256:5a5a84b19854a9ffaa54082c166ff4ec27473a361e496e5ea167f298f2da9722",
    ),
    "nginx": Release(
        "1.30.5",
        "nginx:{version}",
        "BSD-2-Clause",
        # 3 sources
        digest="sha256:b972f831f200b19ef0767938224f9711e74cd783718738cd7405d5cabf75c442",
    ),
    # no source has the digest of this one
    "nginx-exporter": Release("1.4.0", "nginx/nginx-prometheus-exporter:{version}", "Apache-2.0"),
}
