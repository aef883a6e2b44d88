/**
 * The programs of the helpers: containers that exist for one fault and hold its dead-man timer. A script for any
 * shell, in an image that has `nft`, `ip` and `tc`. It undoes what it did when it is told to (TERM), when nobody has
 * renewed its lease (USR1), and when the engine starts it again after it was killed. What it sets has a name of its
 * own, so nothing of anybody else's is touched: where a foreign qdisc stands, it refuses.
 */

/** Handle of our qdisc; nobody else's. */
const QDISC = '5b5b:';
export const REFUSED = 3;

/**
 * What all helpers share. `on`, `begin` (after it has been said that it is on), `change`, `off` and `count` are of the
 * kind.
 */
function helper(parts: string, { renewable }: { readonly renewable: boolean }): string {
  return `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
say() { echo "$*"; }
refuse() { say "refused $*"; off; exit ${REFUSED}; }
begin() { :; }
${parts}
trap 'off; say ended asked; exit 0' TERM INT
${renewable ? "trap 'left=$LEASE' USR1" : ''}
trap 'read -r STRENGTH JITTER </tmp/strength; change' USR2
off
# The engine has started it again: it was killed, and nobody knows for how long it was away.
[ ! -e /tmp/began ] || { say ended killed; exit 0; }
[ "\${MODE:-on}" = on ] || { say ended swept; exit 0; }
: >/tmp/began
on
say "on $how"
begin
left=$LEASE
while [ "$left" -gt 0 ]; do
  sleep 1 &
  wait $!
  left=$((left - 1))
  count
done
off
say ended lease
`;
}

const FIND_INTERFACE = `
ifc=$(ip -o -4 addr show to "$ADDRESS/32" 2>/dev/null | { read -r _ name _ && echo "$name"; })
`;

/** Packets at one interface, by nft. STRENGTH: of 10,000. */
export const FILTER = helper(
  `${FIND_INTERFACE}
how=nft
table="swarmbench_$FAULT"
off() { nft delete table inet "$table" 2>/dev/null; }
# The share of packets, or of connections, which are told apart by the address and port of the other side.
chance() {
  [ "$STRENGTH" -lt 10000 ] || { echo ""; return; }
  if [ "$EFFECT" = reset ]; then echo "jhash ip $1 . tcp $2 mod 10000 < $STRENGTH"
  else echo "numgen random mod 10000 < $STRENGTH"; fi
}
rules() {
  in="add rule inet $table in iifname \\"$ifc\\""
  out="add rule inet $table out oifname \\"$ifc\\""
  reject='counter name hit reject with tcp reset'
  case $EFFECT in
    partition)
      [ "$DIRECTION" = out ] || echo "$in counter name hit drop"
      [ "$DIRECTION" = in ] || echo "$out counter name hit drop" ;;
    loss)
      echo "$in counter name seen $(chance) counter name hit drop"
      echo "$out counter name seen $(chance) counter name hit drop" ;;
    reset)
      echo "$in tcp dport $PORT counter name seen $(chance saddr sport) $reject"
      echo "$out tcp sport $PORT counter name seen $(chance daddr dport) $reject" ;;
  esac
}
# Without a chance to match there is only the rule that counts.
without_hits() {
  if [ "$STRENGTH" -gt 0 ]; then cat
  else sed -e 's/\\(counter name seen\\) .*/\\1/' -e '/counter name hit/d'; fi
}
on() {
  [ -n "$ifc" ] || refuse "no interface has the address $ADDRESS"
  problem=$({ cat <<RULES
add table inet $table
add counter inet $table seen
add counter inet $table hit
add chain inet $table in { type filter hook input priority -150; policy accept; }
add chain inet $table out { type filter hook output priority -150; policy accept; }
RULES
    rules | without_hits; } | nft -f - 2>&1) || refuse "$problem"
}
change() {
  { echo "flush chain inet $table in"; echo "flush chain inet $table out"; rules | without_hits; } | nft -f -
}
count() { say "counts $(nft list counters table inet "$table" 2>/dev/null | tr -d '{}' | tr -s '[:space:]' ' ')"; }
`,
  { renewable: true },
);

/** Where the kernel has no netem. Takes what iptables matches in OUTPUT. */
const QUEUE = `
chain="SWARMBENCH_$FAULT"
queue_off() {
  [ -z "\${queue:-}" ] || kill "$queue" 2>/dev/null
  while iptables -D OUTPUT "$@" -j "$chain" 2>/dev/null; do :; done
  iptables -F "$chain" 2>/dev/null
  iptables -X "$chain" 2>/dev/null
  return 0
}
# Its output must not be ours, which whoever waits for it would wait for, too.
queue_on() {
  number=$1
  shift
  command -v nfqdelay >/dev/null 2>&1 || { echo 'the image has no nfqdelay'; return 1; }
  mkfifo /tmp/delays
  nfqdelay "$number" </tmp/delays >/tmp/queue.log 2>&1 &
  queue=$!
  exec 8>/tmp/delays
  echo "$STRENGTH $JITTER" >&8
  iptables -N "$chain" &&
    iptables -A "$chain" -j NFQUEUE --queue-num "$number" --queue-bypass &&
    iptables -I OUTPUT "$@" -j "$chain"
}
`;

/** What leaves one interface, by a qdisc of tc. STRENGTH: microseconds of delay, or bits a second. */
export const SHAPE = helper(
  `${FIND_INTERFACE}${QUEUE}
how=
# Ours, and no other: a root qdisc with our handle; a chain with our name.
off() {
  case $(tc qdisc show dev "$ifc" root 2>/dev/null) in *' ${QDISC} '*) tc qdisc del dev "$ifc" root 2>/dev/null ;; esac
  queue_off -o "$ifc"
}
shape() {
  if [ "$EFFECT" = rate ]; then
    # What may pass at once: two packets, or 50 ms of the rate; more would let short faults pass unseen.
    burst=$((STRENGTH / 160))
    [ "$burst" -ge 3200 ] || burst=3200
    tc qdisc "$1" dev "$ifc" root handle ${QDISC} tbf rate "\${STRENGTH}bit" burst "$burst" latency 400ms
  else tc qdisc "$1" dev "$ifc" root handle ${QDISC} netem delay "\${STRENGTH}us" "\${JITTER}us"; fi
}
on() {
  [ -n "$ifc" ] || refuse "no interface has the address $ADDRESS"
  case $(tc qdisc show dev "$ifc" root 2>/dev/null) in
    ''|*' noqueue '*) : ;;
    *) refuse "interface $ifc has a qdisc that is not ours" ;;
  esac
  how=netem
  [ "$EFFECT" = delay ] || how=tbf
  if problem=$(shape add 2>&1); then return; fi
  [ "$EFFECT" = delay ] || refuse "$problem"
  how=nfqueue
  queue_on 7 -o "$ifc" >/tmp/problem 2>&1 || refuse "$problem; $(cat /tmp/problem /tmp/queue.log 2>/dev/null)"
}
change() { if [ "$how" = nfqueue ]; then echo "$STRENGTH $JITTER" >&8; else shape change; fi; }
count() {
  if [ "$how" = nfqueue ]; then
    # shellcheck disable=SC2046
    set -- $(iptables -nvxL "$chain" 2>/dev/null | tail -n 1)
    say "counts queued packets \${1:-0}"
  else say "counts $(tc -s qdisc show dev "$ifc" root 2>/dev/null | tr -s '[:space:]' ' ')"; fi
}
`,
  { renewable: true },
);

/**
 * Look-ups of one name in the namespace of a container, by what its resolver (Docker's, at 127.0.0.11) answers over
 * UDP: to say that there is no such name, or late. STRENGTH: microseconds of delay; 0: there is no such name. NAME is
 * looked up by this helper, too, which shows what anybody gets there. MATCH: of nft, an answer for that name.
 */
export const DNS = helper(
  `${QUEUE}
ifc=lo
how=
table="swarmbench_$FAULT"
mark=0x5b5b
off() {
  nft delete table inet "$table" 2>/dev/null
  case $(tc qdisc show dev lo root 2>/dev/null) in *' ${QDISC} '*) tc qdisc del dev lo root 2>/dev/null ;; esac
  queue_off -o lo -m mark --mark $mark
}
# Answers that are marked take the second class.
hold() {
  tc qdisc add dev lo root handle ${QDISC} htb default 1 &&
    tc class add dev lo parent ${QDISC} classid ${QDISC}1 htb rate 10gbit &&
    tc class add dev lo parent ${QDISC} classid ${QDISC}2 htb rate 10gbit &&
    tc qdisc add dev lo parent ${QDISC}2 netem delay "\${STRENGTH}us"
}
act() {
  if [ "$LATE" = yes ]; then echo "meta mark set $mark meta priority set ${QDISC}2"
  # Flags: an answer, and no such name; then no records at all.
  else echo '@th,88,8 set 0x83 @th,112,48 set 0 udp checksum set 0'; fi
}
on() {
  problem=$(nft -f - 2>&1 <<RULES
add table inet $table
add counter inet $table hit
add chain inet $table out { type filter hook output priority -150; policy accept; }
add rule inet $table out oifname "lo" ip saddr 127.0.0.11 ip protocol udp @th,80,1 1 $MATCH counter name hit $(act)
RULES
  ) || refuse "$problem"
  how=nft
  [ "$LATE" = yes ] || return 0
  how=netem
  if problem=$(hold 2>&1); then return; fi
  tc qdisc del dev lo root 2>/dev/null
  how=nfqueue
  queue_on 8 -o lo -m mark --mark $mark >/tmp/problem 2>&1 ||
    refuse "$problem; $(cat /tmp/problem /tmp/queue.log 2>/dev/null)"
}
change() {
  if [ "$how" = nfqueue ]; then echo "$STRENGTH 0" >&8
  else tc qdisc change dev lo parent ${QDISC}2 netem delay "\${STRENGTH}us"; fi
}
# Hundredths of a second.
clock() { read -r up _ </proc/uptime; echo "\${up%.*}\${up#*.}"; }
probe() {
  since=$(clock)
  found=0
  if nslookup "$NAME." 127.0.0.11 2>/dev/null | grep -A 2 -i '^name:' | grep -qi '^address'; then found=1; fi
  echo "probe found $found ms $((($(clock) - since) * 10))" >/tmp/probe.new
  mv /tmp/probe.new /tmp/probe
}
# A slow look-up must not hold up the lease.
count() {
  if [ -z "\${asking:-}" ] || ! kill -0 "$asking" 2>/dev/null; then probe & asking=$!; fi
  hits=$(nft list counters table inet "$table" 2>/dev/null | tr -d '{}' | tr -s '[:space:]' ' ')
  say "counts $(cat /tmp/probe 2>/dev/null) $hits"
}
`,
  { renewable: true },
);

/** Everything that leaves, reaches or crosses a node. It cannot be told to end, so its lease is its time. */
export const NODE_CUT = helper(
  `
how=nft
table="swarmbench_$FAULT"
off() { nft delete table inet "$table" 2>/dev/null; }
on() {
  problem=$(nft -f - 2>&1 <<RULES
add table inet $table
add counter inet $table hit
add chain inet $table in { type filter hook input priority -300; policy accept; }
add chain inet $table out { type filter hook output priority -300; policy accept; }
add chain inet $table through { type filter hook forward priority -300; policy accept; }
RULES
  ) || refuse "$problem"
}
# The answer to the order must get out first.
begin() {
  sleep 1
  nft -f - <<RULES
add rule inet $table in iifname != "lo" counter name hit drop
add rule inet $table out oifname != "lo" counter name hit drop
add rule inet $table through counter name hit drop
RULES
}
change() { :; }
count() { say "counts $(nft list counters table inet "$table" 2>/dev/null | tr -d '{}' | tr -s '[:space:]' ' ')"; }
`,
  { renewable: false },
);

/** Burns processor time; how much, the limit of the helper says. */
export const BURN = helper(
  `
how="\${WHERE:-beside}"
pids=
off() { for pid in $pids; do kill -9 "$pid" 2>/dev/null; done; }
on() {
  number=0
  while [ "$number" -lt "$STRENGTH" ]; do
    (while :; do :; done) &
    pids="$pids $!"
    number=$((number + 1))
  done
}
change() { :; }
# In clock ticks of 10 ms.
count() {
  total=0
  for pid in $pids; do
    read -r line 2>/dev/null <"/proc/$pid/stat" || continue
    # shellcheck disable=SC2086
    set -- $line
    total=$((total + \${14} + \${15}))
  done
  say "counts burnt $((total * 10))"
}
`,
  { renewable: true },
);

/**
 * Kills the engine of its node, keeps it down for its time, and starts it again as it was started, unless whatever
 * watches over it has done so. Needs the processes of the node and privileges; the engine is the one in our network
 * namespace. The engine that comes back ends what is left of this container.
 */
export const ENGINE_KILL = `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
here=$(readlink /proc/self/ns/net)
# Without a program for each process of the node, which would take seconds.
engines() {
  for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    [ "$name" = dockerd ] || continue
    [ "$(readlink "$process/ns/net" 2>/dev/null)" != "$here" ] || echo "\${process#/proc/}"
  done
}
seconds() { read -r up _ </proc/uptime; echo "\${up%.*}"; }
[ ! -e /tmp/began ] || exit 0
: >/tmp/began
engine=$(engines | head -n 1)
[ -n "$engine" ] || { echo 'refused no process dockerd is in the network namespace of this node'; exit ${REFUSED}; }
{ printf 'env\\0-i\\0'; cat "/proc/$engine/environ" "/proc/$engine/cmdline"; } >/tmp/start
cat "/proc/$engine/cgroup" >/tmp/cgroups
exec 3<"/proc/$engine/ns/mnt" 4<"/proc/$engine/ns/net" 5<"/proc/$engine/ns/uts" 6>>"/proc/$engine/fd/1"
trap '' TERM
echo 'on kill'
# The answer to the order must get out first.
sleep 1
over=$(($(seconds) + LEASE))
while [ "$(seconds)" -lt "$over" ]; do
  for pid in $(engines); do kill -9 "$pid" 2>/dev/null; done
  sleep 0.2
done
# What watches over the engine comes first.
over=$(($(seconds) + 5))
while [ "$(seconds)" -lt "$over" ] && [ -z "$(engines)" ]; do sleep 0.2; done
[ -z "$(engines)" ] || exit 0
# Out of the control groups of this container, which end with it.
while IFS=: read -r _ controllers group; do
  case $controllers in
    '') folder=/cgroup ;;
    name=*) folder=/cgroup/\${controllers#name=} ;;
    *) folder=/cgroup/$controllers ;;
  esac
  echo $$ >"$folder$group/cgroup.procs" 2>/dev/null
done </tmp/cgroups
xargs -0 -n 100000 setsid nsenter --mount=/proc/$$/fd/3 --net=/proc/$$/fd/4 --uts=/proc/$$/fd/5 </tmp/start >&6 2>&6 &
sleep 10
`;
