# shellcheck shell=bash
# Watches the answers of new replicas in nginx's log: the third 5xx is one too many.

follower=

# Begin to read nginx's log, for at most so many seconds. What follows ends with end_watch.
begin_watch() {
    local pipe
    pipe=$(mktemp -u)
    mkfifo "$pipe"
    set -m # a process group of its own, so that all of it can be ended
    # shellcheck disable=SC2154  # lock() of lib.sh sets lock_file: the lock is not for who reads
    { follow "$1" </dev/null | grep --line-buffered '"status":5'; } >"$pipe" {lock_file}>&- &
    follower=$!
    set +m
    exec {answers}<"$pipe"
    rm "$pipe"
}

end_watch() {
    [ -z "$follower" ] || kill -TERM -- "-$follower" 2>/dev/null || true
    follower=
}

# watch INSTANCES SECONDS: 1 as soon as ERROR_LIMIT answers of these replicas were a 5xx.
watch() {
    local line bad=0 code end=$((SECONDS + $2))
    while [ $SECONDS -lt $end ]; do
        code=0
        IFS= read -r -t 1 line <&"$answers" || code=$?
        [ $code -le 128 ] || continue # nothing came within a second
        [ $code -eq 0 ] || { say "nginx's log cannot be followed"; return 1; }
        [[ $line =~ \"address\":\"[^\"]*($1) ]] || continue
        bad=$((bad + 1))
        [ $bad -lt "${ERROR_LIMIT:-3}" ] || { say "$bad answers of the new version were a 5xx"; return 1; }
    done
}
