#!/bin/sh
# Runs several Docker engines on this one machine as one Swarm, for the tests: `tools/nodes-up.sh [N]` (default 3;
# Linux, root). Prints one line for each node on stdout: its name, its address and its DOCKER_HOST; the first is the
# manager. Safe to repeat: an engine that has died is started again and rejoins the swarm. tools/nodes-down.sh removes
# everything.
#
# Each engine has namespaces of its own for network, mounts and host name: its eth0 is a veth to one bridge, its /run is
# its own (so a stack that mounts the socket sees the engine of its node), and so are data, control groups and
# containerd. The bridge is in a namespace of its own, too, because a host that has run Docker drops forwarded packets.
# The engine and the networks of the host are not touched. This network has no route to the outside, so pulls from there
# fail at once.
#
#   NODES_DIR       state, data and logs of the engines
#   NODES_WAIT_S    how long each step may take (120)
#   NODES_OPTIONS   more options for every dockerd
set -eu

me=nodes-up
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/nodes-state.sh"
. "$here/engine-state.sh"
count=${1:-3}
tenths=$((${NODES_WAIT_S:-120} * 10))
port=2377

make_switch() {
  ip netns add "$switch"
  ip -n "$switch" link add br0 type bridge
  ip -n "$switch" link set br0 up
}

plug_in() {
  ip netns add "$prefix$1"
  ip -n "$switch" link add "to-n$1" type veth peer name eth0 netns "$prefix$1"
  ip -n "$switch" link set "to-n$1" master br0 up
  ip -n "$prefix$1" link set lo up
  ip -n "$prefix$1" addr add "$subnet.1$1/24" dev eth0
  ip -n "$prefix$1" link set eth0 up
}

# /sys shows the devices of the namespace that mounted it, so it is mounted again, with the machine's control groups.
start_engine() {
  dir=$NODES_DIR/n$1
  mkdir -p "$dir/cg" "$dir/run" "$dir/data"
  # Otherwise these engines would read the configuration of this machine's own engine.
  echo '{}' >"$dir/daemon.json"
  # A killed engine and its containerd can look alive to the next one, which then refuses to start.
  containerd_pid_file=$dir/run/docker/containerd/containerd.pid
  containerd_pid=$(cat "$containerd_pid_file" 2>/dev/null || true)
  [ -z "$containerd_pid" ] || runs "$containerd_pid" containerd || rm -f "$containerd_pid_file"
  rm -f "$dir/dockerd.pid"
  # In a session of its own, so that an interrupted test run does not stop it, and without our lock (descriptor 9).
  # shellcheck disable=SC2016
  DIR=$dir NAME=$prefix$1 SUBNET=$subnet.0/24 setsid unshare --mount --uts --propagation private \
    nsenter --net="/run/netns/$prefix$1" sh -c '
    set -e
    hostname "$NAME"
    mount --rbind /sys/fs/cgroup "$DIR/cg"
    mount -t sysfs sysfs /sys
    mount --rbind "$DIR/cg" /sys/fs/cgroup
    mount --bind "$DIR/run" /run
    # shellcheck disable=SC2086
    exec dockerd --config-file "$DIR/daemon.json" --data-root "$DIR/data" \
      --pidfile "$DIR/dockerd.pid" --host unix:///var/run/docker.sock \
      --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$NAME" --insecure-registry "$SUBNET" \
      --shutdown-timeout 5 --log-level warn ${NODES_OPTIONS:-}' >>"$dir/dockerd.log" 2>&1 </dev/null 9>&- &
}

answers() { timeout 5 docker -H "$(socket "$1")" version >/dev/null 2>&1; }
state() { on_node "$1" info --format '{{.Swarm.LocalNodeState}}'; }
ready() { on_node 1 node ls --format '{{.Status}}' 2>/dev/null | grep -c '^Ready$' || true; }

# wait_until WHAT COMMAND...
wait_until() {
  what=$1
  shift
  left=$tenths
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || die "timed out after ${NODES_WAIT_S:-120} s, waiting for $what"
    sleep 0.1
  done
}

engine_is_up() {
  answers "$1" && return 0
  # It is our own child, so no other program can have this process id.
  kill -0 "$2" 2>/dev/null && return 1
  tail -n 5 "$NODES_DIR/n$1/dockerd.log" >&2
  die "the engine of node $1 exited"
}

all_ready() { [ "$(ready)" -ge "$count" ]; }

undo() {
  code=$?
  trap - EXIT
  [ "$code" -eq 0 ] || { say 'removing what was made'; exec 9>&-; "$here/nodes-down.sh" || true; }
  exit "$code"
}

[ "$(id -u)" -eq 0 ] || die 'network namespaces and engines need root'
for program in dockerd docker ip unshare nsenter setsid flock; do
  command -v "$program" >/dev/null 2>&1 ||
    die "$program is missing (tools/engine-up.sh installs Docker; Debian: iproute2, util-linux)"
done
mkdir -p "$NODES_DIR"
exec 9>"$NODES_DIR/lock"
flock 9
trap undo EXIT
trap 'exit 130' INT TERM

namespaces | grep -qx "$switch" || make_switch
started=
for i in $(seq "$count"); do
  namespaces | grep -qx "$prefix$i" || plug_in "$i"
  if ! answers "$i"; then
    prefer_containers "$prefix$i"
    start_engine "$i"
    started="$started $i:$!"
  fi
done
for each in $started; do wait_until "the engine of node ${each%:*}" engine_is_up "${each%:*}" "${each#*:}"; done

# join NODE ARGUMENTS...: all nodes use the same port, each in its own namespace
join() {
  i=$1 verb=$2
  shift 2
  on_node "$i" swarm "$verb" --advertise-addr "$subnet.1$i" --listen-addr "$subnet.1$i:$port" \
    --data-path-addr "$subnet.1$i" "$@" >/dev/null
}
[ "$(state 1)" = active ] || join 1 init
token=$(on_node 1 swarm join-token -q worker)
for i in $(seq 2 "$count"); do [ "$(state "$i")" = active ] || join "$i" join --token "$token" "$subnet.11:$port"; done
wait_until "$count nodes to be ready" all_ready
for i in $(seq "$count"); do echo "$prefix$i $subnet.1$i $(socket "$i")"; done
