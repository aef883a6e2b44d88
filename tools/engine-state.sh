# shellcheck shell=sh disable=SC2034
# What engine-up.sh and engine-down.sh share. Both source this file.
if [ -z "${ENGINE_DIR:-}" ]; then
  if [ "$(id -u)" -eq 0 ]; then ENGINE_DIR=/var/lib/swarmbench-engine
  else ENGINE_DIR=${XDG_STATE_HOME:-$HOME/.local/state}/swarmbench-engine
  fi
fi
pid_file=$ENGINE_DIR/dockerd.pid
# Holds the id of the engine on which we made a swarm.
made_on=$ENGINE_DIR/swarm-made-on

# runs PID NAME: whether the process runs. A zombie (state Z) does not.
runs() {
  [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

# Prints the process id of the engine that engine-up started; nothing when it does not run.
engine_pid() {
  pid=$(cat "$pid_file" 2>/dev/null || true)
  if [ -n "$pid" ] && runs "$pid" dockerd; then echo "$pid"; fi
}

# prefer_containers GROUP, the control group above the containers of an engine. To the scheduler it is one among the
# groups of this machine, as the tests are; what runs in containers answers the tests and is measured by them, so that
# it goes first.
prefer_containers() {
  groups=/sys/fs/cgroup
  if [ -e "$groups/cgroup.controllers" ]; then
    weight="$groups/$1/cpu.weight" value=1000
  else
    weight="$groups/cpu/$1/cpu.shares" value=10240
  fi
  mkdir -p "$(dirname "$weight")" 2>/dev/null || return 0
  [ ! -w "$weight" ] || echo "$value" >"$weight" || say "could not set $weight"
}
