#!/bin/sh
# Undoes what tools/engine-up.sh did: stops the engine that it started, or leaves the swarm that it made on an engine
# that was already there. Touches nothing else. `--purge` also deletes what the engine stored (images, volumes, swarm).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/engine-state.sh"

say() { printf 'engine-down: %s\n' "$*" >&2; }

stop_engine() {
  kill -TERM "$1"
  tenths=600
  while [ "$tenths" -gt 0 ]; do
    runs "$1" dockerd || { say "engine stopped (process $1)"; return; }
    sleep 0.1
    tenths=$((tenths - 1))
  done
  say "engine (process $1) still runs after 60 s: killing it"
  kill -KILL "-$1" 2>/dev/null || kill -KILL "$1"
  sleep 1
}

# `rm` would delete through anything that a killed engine left mounted below its folder.
unmount_all() {
  awk -v dir="$ENGINE_DIR/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
    umount -l "$mount" || true
  done
}

if [ -d "$ENGINE_DIR" ]; then
  exec 9>"$ENGINE_DIR/lock"
  flock 9
fi
pid=$(engine_pid)
if [ -n "$pid" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    exec 9>&-
    exec sudo ENGINE_DIR="$ENGINE_DIR" "$0" "$@"
  fi
  stop_engine "$pid"
  rm -f "$pid_file" "$made_on"
elif [ -e "$made_on" ]; then
  if [ "$(docker info --format '{{.ID}} {{.Swarm.LocalNodeState}}' 2>/dev/null)" = "$(cat "$made_on") active" ]; then
    docker swarm leave --force >/dev/null
    say 'left the swarm that engine-up made'
  fi
  rm -f "$made_on"
else
  say 'nothing to undo'
fi
if [ "${1:-}" = --purge ]; then
  unmount_all
  rm -rf "$ENGINE_DIR"
  say "deleted $ENGINE_DIR"
fi
