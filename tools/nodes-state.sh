# shellcheck shell=sh disable=SC2034
# What nodes-up.sh and nodes-down.sh share. Both source this file.
NODES_DIR=${NODES_DIR:-/var/lib/swarmbench-nodes}
# Prefix of every name outside that folder: network namespaces, host names, control groups.
prefix=swarmbench-n
switch=swarmbench-switch
# Exists only within the namespaces; the host has no address in it.
subnet=10.99.0

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }
socket() { echo "unix://$NODES_DIR/n$1/run/docker.sock"; }
on_node() { node=$1; shift; timeout 20 docker -H "$(socket "$node")" "$@"; }
namespaces() {
  ip netns list 2>/dev/null | awk -v p="$prefix" -v s="$switch" 'index($1, p) == 1 || $1 == s { print $1 }'
}

# The control groups of the nodes' containers, deepest first; the same in every hierarchy of cgroup v1, one in v2.
control_groups() { find /sys/fs/cgroup -depth -type d \( -path "*/$prefix[0-9]*" \) 2>/dev/null; }

# Processes of the nodes: what is in their network namespaces (engines, shims) and in their control groups (containers).
processes() {
  {
    namespaces | while read -r name; do ip netns pids "$name" 2>/dev/null || true; done
    control_groups | while read -r group; do cat "$group/cgroup.procs" 2>/dev/null || true; done
  } | sort -un
}
