#!/usr/bin/env bash
# Rolls out on a Swarm manager over SSH: deploy/deploy-swarm-over-ssh.sh IMAGE CHAT_IMAGE
#
# DEPLOY_HOST is user@host; DEPLOY_KEY the private key and DEPLOY_KNOWN_HOSTS the host's key, both as
# text; SITE, DATABASE_ADDRESS, HOSTS, PLAIN_WEB and PLAIN_API go on to deploy/deploy-swarm.sh.
# Nothing is trusted at first sight.
set -euo pipefail
unset CDPATH # of a shell: cd would go elsewhere
cd "$(dirname "${BASH_SOURCE[0]}")/.."
image=${1:?usage: deploy/deploy-swarm-over-ssh.sh IMAGE CHAT_IMAGE}
chat=${2:?usage: deploy/deploy-swarm-over-ssh.sh IMAGE CHAT_IMAGE}
: "${DEPLOY_HOST:?}" "${DEPLOY_KEY:?}" "${DEPLOY_KNOWN_HOSTS:?}" "${SITE:?}" "${DATABASE_ADDRESS:?}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(umask 077 && printf '%s\n' "$DEPLOY_KEY" >"$work/key" && printf '%s\n' "$DEPLOY_KNOWN_HOSTS" >"$work/known")
remote() {
    ssh -i "$work/key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="$work/known" -o ConnectTimeout=15 "$DEPLOY_HOST" "$@"
}

# The files as they are in this commit; what the deploy remembers there (.deploy) stays.
git archive HEAD VERSION stack.yml alerts blackbox dashboards/generated deploy promtail |
    remote 'mkdir -p minitwit && tar -x -C minitwit'
remote "cd ./minitwit && $(printf 'IMAGE= CHAT_IMAGE=%q SITE=%q DATABASE_ADDRESS=%q HOSTS=%q PLAIN_WEB=%q PLAIN_API=%q deploy/deploy-swarm.sh %q' \
    "$chat" "$SITE" "$DATABASE_ADDRESS" "${HOSTS:-}" "${PLAIN_WEB:-}" "${PLAIN_API:-}" "$image")"
