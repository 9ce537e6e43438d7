#!/usr/bin/env bash
# Images under the tags of compose.yaml, made of Debian's programs, of those that `make tools` built,
# and of the Loki and Promtail on PATH:
# for tests on an engine that reaches no registry. Needs root, debootstrap and Debian's archive.
# What the engine has under a tag already is left alone. Grafana and Tempo have no stand-in.
#
#   tests/deploy/images.sh
set -euo pipefail
unset CDPATH # of a shell: cd would go elsewhere
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cache=${MINITWIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/minitwit}
export DOCKER_BUILDKIT=0 # the one builder that every engine has
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { docker image inspect "$1" >/dev/null 2>&1; }
tag_of() { sed -n "s#^ *image: \($1:.*\)#\1#p" compose.yaml | head -1; }

# TAG, with the lines of a Dockerfile after FROM on standard input
stand_in() {
    has "$1" && return
    { echo "FROM minitwit-stand-ins" && cat; } | docker build --quiet --tag "$1" - >/dev/null
    echo "made $1"
}

python=$(sed -n 's/^ARG PYTHON=//p' Dockerfile)
if ! has "$python"; then
    debootstrap --variant=minbase --include=ca-certificates,curl,openssl,python3,python3-pip,python3-venv,wget \
        bookworm "$work/root" >/dev/null
    cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/"
    ln -s /usr/bin/python3 "$work/root/usr/local/bin/python"
    tar -C "$work/root" -c . | docker import --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' - "$python" >/dev/null
fi
has debian:bookworm-slim || docker tag "$python" debian:bookworm-slim

if ! has minitwit-stand-ins; then
    mkdir "$work/all"
    cp "$(command -v loki)" "$(command -v promtail)" "$cache/bin/alertmanager" "$work/all"
    cat >"$work/all/postgres.sh" <<'EOF'
#!/bin/bash
# As the official image's entrypoint: makes the cluster at first, then serves.
set -e
export PGDATA=/var/lib/postgresql/18/docker
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -m 700 "$PGDATA"
    chown -R postgres /var/lib/postgresql /var/run/postgresql
    exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth-host=scram-sha-256 \
        --auth-local=trust --encoding=UTF8 --locale=C.UTF-8
    pg_ctl -w -o "-c listen_addresses='' -k /var/run/postgresql" start
    psql -h /var/run/postgresql -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE $POSTGRES_DB"
    pg_ctl -w stop
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*' -k /var/run/postgresql
EOF
    chmod 755 "$work/all/"*
    cat >"$work/all/Dockerfile" <<'EOF'
FROM debian:bookworm-slim
RUN groupadd -g 999 postgres && useradd -u 999 -g 999 -d /var/lib/postgresql postgres && \
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        curl nginx-light postgresql-15 prometheus prometheus-alertmanager prometheus-blackbox-exporter \
        prometheus-nginx-exporter prometheus-node-exporter wget >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* && install -d /var/lib/postgresql /var/run/postgresql
COPY loki promtail alertmanager /usr/bin/
COPY postgres.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
EOF
    docker build --quiet --tag minitwit-stand-ins "$work/all" >/dev/null
fi

stand_in "$(tag_of postgres)" <<<'ENTRYPOINT ["docker-entrypoint.sh"]'
stand_in "$(tag_of nginx)" <<<'CMD ["nginx"]'
stand_in "$(tag_of nginx/nginx-prometheus-exporter)" <<<'ENTRYPOINT ["prometheus-nginx-exporter"]'
stand_in "$(tag_of prom/prometheus)" <<'EOF'
RUN install -d -o nobody /prometheus
USER nobody
ENTRYPOINT ["prometheus"]
EOF
stand_in "$(tag_of prom/alertmanager)" <<'EOF'
RUN install -d -o nobody /alertmanager
USER nobody
ENTRYPOINT ["alertmanager"]
EOF
stand_in "$(tag_of prom/blackbox-exporter)" <<'EOF'
RUN ln -s prometheus-blackbox-exporter /usr/bin/blackbox_exporter
ENTRYPOINT ["blackbox_exporter"]
EOF
stand_in "$(tag_of prom/node-exporter)" <<<'ENTRYPOINT ["prometheus-node-exporter"]'
stand_in "$(tag_of grafana/loki)" <<'EOF'
RUN install -d -o 10001 /loki
USER 10001
ENTRYPOINT ["/usr/bin/loki"]
EOF
stand_in "$(tag_of grafana/promtail)" <<<'ENTRYPOINT ["/usr/bin/promtail"]'
