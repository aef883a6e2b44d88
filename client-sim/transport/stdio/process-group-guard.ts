import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends process groups: those it is asked to end, and all that are left when the pipe to it closes, however we ended.
 * Node cannot tie a child's life to its parent's, and a server that does not read its standard input would outlive a
 * killed worker. It is a shell, because a shell takes one megabyte. Its input lines are `+ PID`, `- PID` and `SIGNAL
 * PID`.
 */
const SCRIPT = `
pids=
while read -r word pid; do
  case "$word" in
    +) pids="$pids $pid" ;;
    -)
      rest=
      for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
      pids=$rest ;;
    *) kill "-$word" "-$pid" 2>/dev/null ;;
  esac
done
for one in $pids; do kill -9 "-$one" 2>/dev/null; done
exit 0
`;

const SIGNAL_NUMBERS = { SIGTERM: 15, SIGKILL: 9 } as const;

let guard: ChildProcess | undefined;
let groups = 0;

/**
 * Starts a process group that cannot outlive us. The guard starts first: started after the group, it came too late when
 * its starter was killed in between.
 */
export function startGuarded<Group extends { readonly pid?: number | undefined }>(startGroup: () => Group): Group {
  guard ??= startGuard();
  groups++;
  let pid: number | undefined;
  try {
    const group = startGroup();
    pid = group.pid;
    return group;
  } finally {
    if (pid === undefined) removeGroup();
    else command('+', pid);
  }
}

/** Precondition: the group is guarded. */
export function signalGroup(groupId: number, signal: keyof typeof SIGNAL_NUMBERS): void {
  command(String(SIGNAL_NUMBERS[signal]), groupId);
}

/** The group has ended. */
export function releaseGroup(groupId: number): void {
  command('-', groupId);
  removeGroup();
}

function removeGroup(): void {
  if (--groups > 0) return;
  guard?.stdin?.end();
  guard = undefined;
}

function command(verb: string, groupId: number): void {
  guard?.stdin?.write(`${verb} ${groupId}\n`);
}

function startGuard(): ChildProcess {
  // In a group of its own: a signal that ends our group must not end its guard.
  const child = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  // It must not keep a thread alive that has nothing else to do.
  child.unref();
  return child;
}
