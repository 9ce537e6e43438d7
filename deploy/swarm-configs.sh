#!/usr/bin/env bash
# Prints, as an addition to stack.yml, the configuration files as Docker configs. Their names end
# in a hash of what is in them: a config cannot be changed, and what is unchanged restarts nobody.
set -euo pipefail
unset CDPATH # of a shell: cd would go elsewhere
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# service, where it finds the file, the file
table() {
    local file
    cat <<'EOF'
nginx /etc/nginx/nginx.conf deploy/generated/nginx.conf
nginx /etc/nginx/entrypoint.sh deploy/nginx/entrypoint.sh
nginx /etc/nginx/active/upstream.conf deploy/nginx/swarm.conf
prometheus /etc/prometheus/prometheus.yml deploy/generated/prometheus.yml
alertmanager /etc/alertmanager/alertmanager.yml deploy/generated/alertmanager.yml
alertmanager /etc/alertmanager/messages.tmpl alerts/messages.tmpl
alertmanager /etc/alertmanager/start.sh alerts/start.sh
blackbox /etc/blackbox/blackbox.yml blackbox/blackbox.yml
blackbox /etc/blackbox/start.sh blackbox/start.sh
loki /etc/loki/loki.yml deploy/generated/loki.yml
promtail /etc/promtail/promtail.yml deploy/generated/promtail.yml
promtail /etc/promtail/start.sh promtail/start.sh
backup /backup/backup.sh deploy/backup/backup.sh
backup /backup/connection.sh deploy/backup/connection.sh
backup /backup/psql.sh deploy/backup/psql.sh
backup /backup/restore.sh deploy/backup/restore.sh
backup /backup/sums.sql deploy/backup/sums.sql
tempo /etc/tempo/tempo.yml deploy/generated/tempo.yml
ngircd /etc/chat/ngircd.conf deploy/generated/ngircd.conf
relay /etc/chat/relay.yml deploy/generated/relay.yml
relay /etc/chat/relay.sh deploy/irc-server/relay.sh
grafana /etc/grafana/provisioning/datasources/minitwit.yml deploy/generated/grafana-datasources.yml
grafana /etc/grafana/provisioning/dashboards/minitwit.yml deploy/generated/grafana-dashboards.yml
EOF
    for file in alerts/generated/*.yml; do echo "prometheus /etc/prometheus/rules/${file##*/} $file"; done
    for file in alerts/generated/loki/*.yml; do echo "loki /etc/loki/rules/fake/${file##*/} $file"; done
    for file in dashboards/generated/*.json; do echo "grafana /etc/grafana/dashboards/${file##*/} $file"; done
}

name() { # SERVICE FILE
    local base=${2##*/}
    printf '%s_%s_%s' "$1" "${base%.*}" "$(sha256sum "$2" | cut -c1-10)"
}

echo "services:"
table | cut -d' ' -f1 | sort -u | while read -r service; do
    printf '  %s:\n    configs:\n' "$service"
    table | while read -r owner target file; do
        [ "$owner" != "$service" ] || printf '      - {source: %s, target: %s}\n' "$(name "$owner" "$file")" "$target"
    done
done
echo "configs:"
table | while read -r owner _ file; do
    key=$(name "$owner" "$file")
    printf '  %s: {file: "%s/%s", name: minitwit_%s}\n' "$key" "$PWD" "$file" "$key"
done
