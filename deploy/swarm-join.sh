#!/usr/bin/env bash
# Makes a Swarm of fresh machines:
#   terraform -chdir=deploy/terraform output -json nodes | KNOWN_HOSTS=FILE deploy/swarm-join.sh
#
# FILE has the machines' host keys, as you read them in the provider's console: nothing is trusted at
# first sight, because the machine that answers gets the Swarm's token.
# Reads {"manager": {"public": ..., "private": ..., "labels": [...]}, ...}; logs in by SSH with the
# keys of who calls it. Safe to run again: a machine that has joined stays. Needs jq.
set -euo pipefail
[ -s "${KNOWN_HOSTS:?the file with the host keys of the machines}" ] || { echo "join: $KNOWN_HOSTS is empty" >&2; exit 1; }
secure=(-o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$KNOWN_HOSTS")
nodes=$(cat)
field() { jq -re --arg node "$1" ".[\$node].$2" <<<"$nodes"; }
on() { # NODE COMMAND...
    local address
    address=$(field "$1" public)
    shift
    ssh -n "${secure[@]}" "root@$address" "$@"
}

for name in $(jq -r 'keys[]' <<<"$nodes"); do
    echo "$name: waiting until its first start is over"
    on "$name" cloud-init status --wait >/dev/null
done
private=$(field manager private)
on manager "docker info --format '{{.Swarm.LocalNodeState}}' | grep -qx active ||
    docker swarm init --advertise-addr $private --data-path-addr $private >/dev/null"
token=$(on manager docker swarm join-token --quiet worker)
for name in $(jq -r 'keys[] | select(. != "manager")' <<<"$nodes"); do
    private_here=$(field "$name" private)
    # The token goes by the connection's own standard input, not by the list of processes here; without
    # a pipe, which would end this script where a machine that has joined reads nothing.
    address=$(field "$name" public)
    # shellcheck disable=SC2029  # the names of here are meant
    ssh "${secure[@]}" "root@$address" \
        "docker info --format '{{.Swarm.LocalNodeState}}' | grep -qx active ||
         docker swarm join --advertise-addr $private_here --token \"\$(cat)\" $private:2377 >/dev/null" <<<"$token"
done
for name in $(jq -r 'keys[]' <<<"$nodes"); do
    host=$(on "$name" hostname)
    for label in $(jq -r --arg node "$name" '.[$node].labels[]' <<<"$nodes"); do
        on manager "docker node update --label-add $label=true $host >/dev/null"
    done
    echo "$name: $host is in the Swarm, labels $(jq -c --arg node "$name" '.[$node].labels' <<<"$nodes")"
done
