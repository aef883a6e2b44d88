#!/bin/sh
# Removes everything that tools/nodes-up.sh made, in whatever state it is: containers, engines, namespaces, control
# groups, data. Asks the engines to stop, and kills those that do not. Fails with a message when something is left.
set -eu

me=nodes-down
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/nodes-state.sh"
. "$here/engine-state.sh"

gone() { [ -z "$(processes)" ]; }

# wait_for TENTHS: waits until no process is left; fails when one still is
wait_for() {
  left=$1
  until gone; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.1
  done
}

# Asks the engines to stop, and waits for that, but 15 s at most.
stop_engines() {
  ours=$(processes)
  engines=
  for file in "$NODES_DIR"/n*/dockerd.pid; do
    pid=$(cat "$file" 2>/dev/null || true)
    # Another program may have this process id by now: an engine of ours is in one of our namespaces.
    [ -n "$pid" ] && runs "$pid" dockerd && echo "$ours" | grep -qx "$pid" || continue
    kill -TERM "$pid" && engines="$engines $pid"
  done
  tenths=150
  for pid in $engines; do
    while runs "$pid" dockerd && [ "$tenths" -gt 0 ]; do sleep 0.1; tenths=$((tenths - 1)); done
  done
}

# A container whose engine was killed keeps running under its shim, which has no parent left.
kill_processes() {
  processes | while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done
}

[ "$(id -u)" -eq 0 ] || die 'needs root'
if [ -d "$NODES_DIR" ]; then
  exec 9>"$NODES_DIR/lock"
  flock 9
fi
stop_engines
kill_processes
wait_for 100 || { kill_processes; wait_for 50 || say "still running: processes $(processes | tr '\n' ' ')"; }
namespaces | while read -r name; do ip netns del "$name" || true; done
control_groups | while read -r group; do rmdir "$group" 2>/dev/null || true; done
# The engines' mounts are gone with their mount namespaces. `rm` would delete through any others below our folder.
awk -v dir="$NODES_DIR/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
  while read -r mount; do umount -l "$mount" || true; done
rm -rf "$NODES_DIR"
left="$(namespaces) $(control_groups) $(processes)"
[ -z "$(echo "$left" | tr -d '[:space:]')" ] && [ ! -e "$NODES_DIR" ] || die "not everything is gone: $left"
