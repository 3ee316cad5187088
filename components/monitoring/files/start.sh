#!/bin/sh
# Starts Prometheus or Alertmanager so that a bad configuration never takes it down, and has it read a changed one.
#
#   start.sh <mounted folder> <folder on the program's disk> <file> <seconds> "<check>" -- <program> <arguments>
#
# The program reads <disk>/config/<file>. That folder is a link: to what is mounted, or, where a start finds that this does
# not pass <check>, to a copy of the last one that did. A running program that is sent a bad one keeps the old one and
# says so in its metrics. In its first <seconds> it may not have read any yet, and would end over a bad one: until then
# only a good one is shown to it.
set -eu
mounted=$1 disk=$2 file=$3 patience=$4 check=$5
shift 6
every=5

# The kubelet puts a whole new folder behind this link when anything of the volume changes.
version() { readlink "$mounted/..data"; }

# shellcheck disable=SC2086  # the check is a command and its arguments
passes() { $check "$mounted/$file" >/dev/null; }

# On a full disk nothing can be kept; that must not end the program, which is what makes room.
keep() {
    rm -rf "$disk/good.new" &&
        cp -RL "$mounted/..data" "$disk/good.new" &&
        rm -rf "$disk/good" &&
        mv "$disk/good.new" "$disk/good" ||
        echo "start.sh: no copy of the configuration could be kept" >&2
}

show() { ln -sfn "$1" "$disk/config"; }

watch() {
    # What fails once must not end this loop: no change would be read any more.
    set +e
    waited=0
    while sleep "$every"; do
        waited=$((waited + every))
        now=$(version)
        [ "$now" != "$seen" ] || continue
        if passes; then
            keep
        elif [ "$waited" -lt "$patience" ]; then
            continue
        fi
        # The program has this shell's own process number.
        show "$mounted" && kill -HUP "$$" && seen=$now
    done
}

now=$(version) seen=none
if passes; then
    seen=$now
    keep
    show "$mounted"
elif [ -e "$disk/good/$file" ]; then
    echo "start.sh: the mounted configuration can't be used; starting with the last one that could" >&2
    show "$disk/good"
else
    show "$mounted"
fi
watch &
exec "$@"
