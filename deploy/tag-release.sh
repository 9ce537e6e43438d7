#!/usr/bin/env bash
# Tags the version that VERSION says, with notes from the log; a version that is tagged already is
# left alone. Needs the program gh, logged in: deploy/tag-release.sh [--dry-run]
set -euo pipefail
unset CDPATH # of a shell: cd would go elsewhere
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=v$(cat VERSION)
if git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null; then
    echo "$tag is released already"
    exit 0
fi
before=$(git describe --tags --abbrev=0 2>/dev/null || true)
notes=$(git log --no-merges --format='- %s' "${before:+$before..}HEAD")
if [ "${1:-}" = --dry-run ]; then
    printf '%s (after %s)\n%s\n' "$tag" "${before:-nothing}" "$notes"
    exit 0
fi
gh release create "$tag" --target "$(git rev-parse HEAD)" --title "$tag" --notes "$notes"
