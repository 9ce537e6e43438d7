#!/bin/sh
# Starts Promtail a little before where it was: start.sh POSITIONS PROMTAIL [ARGUMENT...]
#
# Promtail notes how far it has read a file, not how far Loki has it. Killed while Loki is away,
# it would lose what was read and not delivered: a batch, and a few lines more. So reading begins
# BEHIND bytes earlier, at the start of a line; Loki drops the lines that it has already. What is
# missing of files that were rotated away is read from a copy, which goes at a later start.
set -eu
BEHIND=2097152 # twice the batchsize in promtail.yml
OPEN_SECONDS=${OPEN_SECONDS:-10}
positions=$1
shift
folder=$(dirname "$positions")

# whether OFFSET is the end of a line of FILE
belongs() { # FILE OFFSET
    [ "$2" -eq 0 ] || {
        [ "$2" -le "$(wc -c <"$1")" ] && [ -z "$(tail -c "+$2" "$1" | head -c 1)" ]
    }
}

# whether FILE was rotated after OTHER was written
rotated_since() { # FILE OTHER
    [ -n "$(find "$1.1" -cnewer "$2" 2>/dev/null)" ]
}

# whether the position OFFSET is one in FILE itself, not in one that was rotated away
current() { # FILE OFFSET
    belongs "$1" "$2" && ! rotated_since "$1" "$positions"
}

# the start of the first line that begins no more than BEHIND bytes before OFFSET
earlier() { # FILE OFFSET
    from=$(($2 - BEHIND))
    if [ "$from" -le 0 ]; then
        echo 0
    else
        rest=$(tail -c "+$((from + 1))" "$1" | head -n 1 | wc -c)
        echo $((from + rest))
    fi
}

# how many bytes at the end of what was rotated away are to be read
missing() { # FILE OFFSET
    if current "$1" "$2"; then
        echo $((BEHIND - $2))
        return
    fi
    after=1
    number=1
    while [ -f "$1.$number" ]; do
        after=$((after + $(wc -c <"$1.$number")))
        if belongs "$1.$number" "$2"; then
            echo $((after - $2 + BEHIND))
            return
        fi
        number=$((number + 1))
    done
    echo "$after"
}

# all that was rotated away, the oldest first, after an empty line
rotated() { # FILE
    echo
    number=1
    while [ -f "$1.$number" ]; do
        number=$((number + 1))
    done
    while [ "$number" -gt 1 ]; do
        number=$((number - 1))
        cat "$1.$number"
    done
}

# copy the last BYTES of what was rotated away to where Promtail reads it as well
again() { # FILE BYTES
    copy=$folder/$(basename "$1" .log).$(date +%s).rotated.log
    rotated "$1" | tail -c "$2" | sed 1d >"$copy.new" # without the piece of a line
    mv "$copy.new" "$copy"
}

# the position at which to begin FILE; what is missing before that is copied
resume() { # FILE OFFSET
    bytes=$(missing "$1" "$2")
    if [ "$bytes" -gt 0 ] && [ -f "$1.1" ]; then
        again "$1" "$bytes"
    fi
    if current "$1" "$2"; then
        earlier "$1" "$2"
    else
        echo 0
    fi
}

# the files that Promtail knows, after the position in each
known() {
    sed -n 's/^  \(.*\): "\([0-9]*\)"$/\2 \1/p' "$positions"
}

find "$folder" -name '*.rotated.log' -mmin +60 -exec rm {} +
if [ -f "$positions" ]; then
    {
        echo "positions:"
        known | while read -r offset file; do
            if [ -f "$file" ]; then
                echo "  $file: \"$(resume "$file" "$offset")\""
            fi
        done
    } >"$positions.new"
    mv "$positions.new" "$positions"
    touch "$folder/started"
    ( # What is rotated from here until Promtail has opened its files goes unseen: look again.
        (
            sleep "$OPEN_SECONDS"
            known | while read -r offset file; do
                if rotated_since "$file" "$folder/started"; then
                    again "$file" $(($(wc -c <"$file.1") + 1))
                fi
            done
        ) >/dev/null 2>&1 &
    )
fi
exec "$@"
