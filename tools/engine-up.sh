#!/bin/sh
# Makes sure that this machine has a Docker engine that is a Swarm manager, for the tests: `tools/engine-up.sh`. Safe to
# repeat, and to run several times at once. Prints one line about the engine on stdout.
#
# An engine that answers on $DOCKER_HOST (or the default socket) is used as it is; if it is in no swarm, a swarm of one
# node is made. If none answers, one is installed from the packages of the distribution (Debian and derivatives; root or
# sudo) and started without systemd. tools/engine-down.sh undoes what this did, and nothing else.
#
#   ENGINE_DIR      state, data and log of an engine started here
#   ENGINE_WAIT_S   how long it may take to answer (60)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/engine-state.sh"
wait_s=${ENGINE_WAIT_S:-60}
log=$ENGINE_DIR/dockerd.log
containerd_pid_file=/var/run/docker/containerd/containerd.pid

say() { printf 'engine-up: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
swarm_state() { docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}' 2>/dev/null; }

install_engine() {
  command -v apt-get >/dev/null 2>&1 ||
    die 'no Docker engine answers, and there is no apt-get to install one: install Docker, then run this again'
  say 'installing docker.io'
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >/dev/null
  # Since Debian 13 the client is a package of its own.
  client=
  command -v docker >/dev/null 2>&1 || client=$(apt-cache --names-only search '^docker-cli$' | cut -d' ' -f1)
  # shellcheck disable=SC2086
  apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install -y \
    --no-install-recommends docker.io iptables $client >/dev/null
}

start_engine() {
  # A killed engine and its containerd can look alive to the next one, which then refuses to start.
  [ -n "$(engine_pid)" ] || rm -f "$pid_file"
  containerd_pid=$(cat "$containerd_pid_file" 2>/dev/null || true)
  [ -z "$containerd_pid" ] || runs "$containerd_pid" containerd || rm -f "$containerd_pid_file"
  # In a session of its own, so that an interrupted test run does not stop it, and without our lock (descriptor 9).
  setsid dockerd --data-root "$ENGINE_DIR/data" --pidfile "$pid_file" --host unix:///var/run/docker.sock \
    --log-level warn --log-opt max-size=10m --log-opt max-file=2 >>"$log" 2>&1 </dev/null 9>&- &
  started=$!
  tenths=$((wait_s * 10))
  while [ "$tenths" -gt 0 ]; do
    if answers; then return; fi
    kill -0 "$started" 2>/dev/null || { tail -n 20 "$log" >&2; die "the engine exited; its log is $log"; }
    sleep 0.1
    tenths=$((tenths - 1))
  done
  tail -n 20 "$log" >&2
  die "the engine does not answer after ${wait_s} s; its log is $log"
}

make_swarm() {
  # On loopback: the node has no neighbours, and a swarm breaks when its address disappears, as on a laptop.
  docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 --data-path-addr 127.0.0.1 >/dev/null
  docker info --format '{{.ID}}' >"$made_on"
}

# A node that is up but not yet ready refuses tasks.
wait_until_ready() {
  tenths=100
  while [ "$tenths" -gt 0 ]; do
    state=$(docker node inspect self --format '{{.Status.State}} {{.Spec.Availability}}' 2>/dev/null || true)
    [ "$state" != 'ready active' ] || return 0
    sleep 0.1
    tenths=$((tenths - 1))
  done
  die 'the node is not ready after 10 s: docker node inspect self'
}

if ! answers && [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 ||
    die 'no Docker engine answers, and starting one needs root: start Docker, or run this as root'
  exec sudo ENGINE_DIR="$ENGINE_DIR" ENGINE_WAIT_S="$wait_s" "$0" "$@"
fi

mkdir -p "$ENGINE_DIR"
exec 9>"$ENGINE_DIR/lock"
flock 9
if ! answers; then
  command -v dockerd >/dev/null 2>&1 && command -v docker >/dev/null 2>&1 || install_engine
  # With systemd, the package has already started it.
  answers || { start_engine; prefer_containers docker; }
fi
case $(swarm_state) in
  'active true') ;;
  'active false') die 'this engine is a worker of a swarm: point DOCKER_HOST at a manager of it' ;;
  'inactive '*) make_swarm ;;
  *)
    state=$(docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.Error}}')
    die "the swarm of this engine is in a bad state ($state): docker swarm leave --force, then run this again"
    ;;
esac
wait_until_ready
docker info --format \
  'engine {{.ServerVersion}}, swarm {{.Swarm.LocalNodeState}}, {{.Swarm.Nodes}} node(s), {{.NCPU}} cores'
