# shellcheck shell=bash
# Watches the answers of new replicas in nginx's log: the third 5xx is one too many.

follower=

# Begin to read nginx's log, for at most so many seconds. What follows ends with end_watch.
begin_watch() {
    local file
    file=$(mktemp)
    exec {lines}>"$file"
    exec {answers}<"$file"
    rm "$file"
    set -m # a process group of its own, so that all of it can be ended
    # shellcheck disable=SC2154  # take_lock() of common.sh sets lock_file; these readers do not hold the lock
    { follow "$1" </dev/null | grep --line-buffered '"status":5'; } >&"$lines" {lock_file}>&- &
    follower=$!
    set +m
}

end_watch() {
    [ -z "$follower" ] || kill -TERM -- "-$follower" 2>/dev/null || true
    follower=
}

# watch INSTANCES SECONDS: 1 as soon as ERROR_LIMIT answers of these replicas were a 5xx.
# A file and sleep, not `read -t`: bash 5.2 crashes if a signal's trap exits within it.
watch() {
    local line bad=0 end=$((SECONDS + $2))
    while [ $SECONDS -lt $end ]; do
        if ! IFS= read -r line <&"$answers"; then
            kill -0 "$follower" 2>/dev/null || { say "nginx's log cannot be followed"; return 1; }
            sleep 0.1
            continue
        fi
        [[ $line =~ \"address\":\"[^\"]*($1) ]] || continue
        bad=$((bad + 1))
        [ $bad -lt "${ERROR_LIMIT:-3}" ] || { say "$bad answers of the new version were a 5xx"; return 1; }
    done
}
