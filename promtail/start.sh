#!/bin/sh
# Starts Promtail a little before where it was: start.sh POSITIONS PROMTAIL [ARGUMENT...]
#
# Promtail notes how far it has read a file, not how far Loki has it. Killed while Loki is away,
# it would lose what was read and not delivered: a batch, and a few lines more. So reading begins
# BEHIND bytes earlier, at the start of a line; Loki shows a line once that it has twice. What is
# missing of files that were rotated away is read from a copy, which goes at a later start.
#
# Where little is written, BEHIND bytes are hours. Loki has those lines, and refuses what is an hour
# older than the newest of a stream, which Promtail counts as lost. So nothing is read again that is
# FAR older than the last line that was read; what was on its way then is seconds older.
#
# A file that Promtail opened a moment before is not in POSITIONS yet: OFFSET is - then.
#
# A service may rotate its file at any moment. NUMBER is 0 for FILE itself, 1 for FILE.1, which was
# rotated away last, and so on. A file keeps its inode, whatever its name.
set -eu
BEHIND=2097152 # twice the batchsize in promtail.yml
FAR=3000 # seconds
SETTLED=60 # seconds; Promtail saves every two what it noted up to two before, if it gets its turn
LOOK_SECONDS=${LOOK_SECONDS:-1} # between looks whether Promtail has opened its files
positions=$1
shift
folder=$(dirname "$positions")
numbers=$(seq 1 100)
newline='
'

name() { # FILE NUMBER
    [ "$2" -eq 0 ] && echo "$1" || echo "$1.$2"
}

# a number about a file, 0 if there is none: its size (%s), inode (%i), last rotation (%Z), and when
# it was last written (%Y)
about() { # FORMAT FILE
    stat -c "$1" "$2" 2>/dev/null || echo 0
}

# the number of the first file that was rotated away before NUMBER; fails if there is none
older() { # FILE NUMBER
    for n in $numbers; do
        if [ "$n" -gt "$2" ] && [ -f "$1.$n" ]; then
            echo "$n"
            return
        fi
    done
    return 1
}

# the number of the first file that was rotated away after NUMBER; 0 if there is none
newer() { # FILE NUMBER
    n=$(($2 - 1))
    while [ "$n" -gt 0 ] && [ ! -f "$1.$n" ]; do n=$((n - 1)); done
    echo "$n"
}

# all inodes, the newest file first: the same before and after means that nothing was rotated
inodes() { # FILE
    about %i "$1"
    n=0
    while n=$(older "$1" "$n"); do
        about %i "$1.$n"
    done
}

# whether OFFSET is the end of a line of FILE
belongs() { # FILE OFFSET
    [ -f "$1" ] && {
        [ "$2" -eq 0 ] || {
            [ "$2" -le "$(about %s "$1")" ] && [ -z "$(tail -c "+$2" "$1" 2>/dev/null | head -c 1)" ]
        }
    }
}

# the number of the oldest file that was written since Promtail may have opened the first, and 0
new() { # FILE
    n=0
    last=0
    while n=$(older "$1" "$n"); do
        [ "$(about %Y "$1.$n")" -lt "$since" ] || last=$n
    done
    echo "$last 0"
}

# the number of the file in which OFFSET was noted, and OFFSET; the oldest and 0 if in none
noted() { # FILE OFFSET
    last=$(older "$1" 0) || last=0
    if [ "$(about %Z "$1.$last")" -lt "$since" ] && belongs "$1" "$2"; then
        echo "0 $2"
        return
    fi
    n=0
    last=0
    while n=$(older "$1" "$n"); do
        last=$n
        if belongs "$1.$n" "$2"; then
            echo "$n $2"
            return
        fi
    done
    if belongs "$1" "$2"; then echo "0 $2"; else echo "$last 0"; fi
}

# the number and offset of BEHIND bytes earlier
earlier() { # FILE NUMBER OFFSET
    number=$2
    offset=$(($3 - BEHIND))
    while [ "$offset" -lt 0 ] && n=$(older "$1" "$number"); do
        number=$n
        offset=$((offset + $(about %s "$1.$n")))
    done
    [ "$offset" -ge 0 ] || offset=0
    echo "$number $offset"
}

# the time, to the second, before which no line is read again; nothing if the line before OFFSET of
# file NUMBER has none
wanted_since() { # FILE NUMBER OFFSET
    block=$(($3 < 65536 ? $3 : 65536))
    at=$(tail -c "+$(($3 - block + 1))" "$(name "$1" "$2")" 2>/dev/null | head -c "$block" | tail -n 1 |
        sed -n 's/^{"ts":"\([0-9]*-[0-9]*-[0-9]*T[0-9]*:[0-9]*:[0-9]*\).*/\1/p')
    [ -z "$at" ] || date -u -d "@$(($(date -u -d "${at}Z" +%s) - FAR))" +%Y-%m-%dT%H:%M:%S
}

# POSITION, a line's start, or that of the first line after it that is not older than SINCE
skip_old() { # FILE POSITION SINCE
    [ -n "$3" ] || {
        echo "$2"
        return
    }
    tail -c "+$(($2 + 1))" "$1" 2>/dev/null | LC_ALL=C awk -v since="$3" -v position="$2" '
        substr($0, 1, 7) != "{\"ts\":\"" || substr($0, 8, 19) >= since { exit }
        { position += length($0) + 1 }
        END { printf "%d\n", position }'
}

# the start of the first line that begins at OFFSET or later
line_start() { # FILE OFFSET
    if [ "$2" -eq 0 ]; then
        echo 0
    else
        echo $(($2 - 1 + $(tail -c "+$2" "$1" 2>/dev/null | head -n 1 | wc -c)))
    fi
}

# copy what comes after OFFSET of file NUMBER, up to END of FILE; print the copy's name
copy() { # FILE NUMBER OFFSET END
    to=$folder/$(basename "$1" .log).$(date +%s.%N).rotated.log
    {
        tail -c "+$(($3 + 1))" "$1.$2" || true
        n=$2
        while [ "$n" -gt 1 ]; do
            n=$((n - 1))
            cat "$1.$n" || true
        done
        head -c "$4" "$1" || true
    } >"$to.new" 2>/dev/null
    mv "$to.new" "$to"
    echo "$to"
}

# the inode of FILE and the position at which to begin it; what is missing before that is copied
resume() { # FILE OFFSET
    while :; do
        before=$(inodes "$1")
        wanted=
        # shellcheck disable=SC2046,SC2086 # two numbers
        if [ "$2" = - ]; then
            set -- "$1" - $(new "$1")
        else
            read_to=$(noted "$1" "$2")
            wanted=$(wanted_since "$1" $read_to)
            set -- "$1" "$2" $(earlier "$1" $read_to)
        fi
        number=$3
        begin=$(line_start "$(name "$1" "$number")" "$4")
        begin=$(skip_old "$(name "$1" "$number")" "$begin" "$wanted")
        while [ "$number" -gt 0 ] && [ "$begin" -ge "$(about %s "$1.$number")" ]; do
            number=$(newer "$1" "$number")
            begin=$(skip_old "$(name "$1" "$number")" 0 "$wanted")
        done
        made=
        if [ "$number" -gt 0 ]; then
            made=$(copy "$1" "$number" "$begin" 0)
            begin=0
        fi
        [ "$before" != "$(inodes "$1")" ] || break
        rm -f "$made"
    done
    echo "${before%%"$newline"*} $begin"
}

# whether Promtail has FILE open, and so follows it when it is rotated
opened() { # FILE
    stat -Lc %i /proc/$$/fd/* 2>/dev/null | grep -qx "$(about %i "$1")"
}

# what was rotated away before Promtail opened FILE, which was to be the file INODE, from BEGIN on
rotated_meanwhile() { # INODE BEGIN FILE
    looks=0
    until opened "$3" || [ ! -d /proc/$$ ] || [ "$looks" -gt 600 ]; do
        sleep "$LOOK_SECONDS"
        looks=$((looks + 1))
    done
    while [ "$1" -gt 0 ] && [ "$1" != "$(about %i "$3")" ]; do
        before=$(inodes "$3")
        n=0
        begin=0
        last=0
        while n=$(older "$3" "$n"); do
            last=$n
            if [ "$1" = "$(about %i "$3.$n")" ]; then
                begin=$2
                break
            fi
        done
        # Promtail began the new file at a position that was meant for the old one.
        [ "$last" -eq 0 ] || copy "$3" "$last" "$begin" "$(line_start "$3" "$2")"
        [ "$before" != "$(inodes "$3")" ] || break
    done
}

# the files that Promtail knows, after the position in each, and those beside them
files() {
    sed -n 's/^  \(.*\): "\([0-9]*\)"$/\2 \1/p' "$positions" >"$folder/known"
    cat "$folder/known"
    sed 's/^[0-9]* \(.*\)\/[^/]*$/\1/' "$folder/known" | sort -u | while read -r beside; do
        for file in "$beside"/*.log; do
            cut -d " " -f 2- "$folder/known" | grep -qxF "$file" || echo "- $file"
        done
    done
}

find "$folder" -name '*.rotated.log' -mmin +60 -exec rm {} +
if [ -f "$positions" ]; then
    since=$(($(about %Y "$positions") - SETTLED))
    files | while read -r offset file; do
        if [ -f "$file" ] || older "$file" 0 >/dev/null; then
            began=$(resume "$file" "$offset")
            echo "$began $file"
        fi
    done >"$folder/began"
    {
        echo "positions:"
        sed 's/^[0-9]* \([0-9]*\) \(.*\)/  \2: "\1"/' "$folder/began"
    } >"$positions.new"
    mv "$positions.new" "$positions"
    while read -r inode begin file; do
        (rotated_meanwhile "$inode" "$begin" "$file") </dev/null >/dev/null 2>&1 &
    done <"$folder/began"
fi
exec "$@"
