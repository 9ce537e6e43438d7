#!/usr/bin/env bash
# Gives the secrets that deploy/secrets.sh made to the Swarm: deploy/swarm-secrets.sh FOLDER
# What the Swarm has already under this SECRETS_VERSION (1) stays as it is.
set -euo pipefail
folder=${1:?usage: deploy/swarm-secrets.sh FOLDER}
for file in "$folder"/*/*; do
    name=minitwit_${file##*/}_${SECRETS_VERSION:-1}
    if docker secret inspect "$name" >/dev/null 2>&1; then
        echo "kept $name"
    else
        docker secret create "$name" "$file" >/dev/null
        echo "made $name"
    fi
done
