import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends process groups: those it is told to, and when the pipe to it closes, however we ended, all that are left. Node
 * has no way to tie a child's life to its parent's, and a server that does not look at its standard input would outlive
 * a killed worker. A shell, for it takes one megabyte. Lines are `+ PID`, `- PID` and `SIGNAL PID`.
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

const NUMBERS = { SIGTERM: 15, SIGKILL: 9 } as const;

let guard: ChildProcess | undefined;
let groups = 0;

/**
 * Starts a process group that does not outlive us. The guard is there first: started after the group, it came too late
 * for one whose starter was killed meanwhile.
 */
export function watched<Group extends { readonly pid?: number | undefined }>(startGroup: () => Group): Group {
  guard ??= start();
  groups++;
  let pid: number | undefined;
  try {
    const group = startGroup();
    pid = group.pid;
    return group;
  } finally {
    if (pid === undefined) release();
    else tell('+', pid);
  }
}

/** Precondition: the group is watched. */
export function signalGroup(groupId: number, signal: keyof typeof NUMBERS): void {
  tell(String(NUMBERS[signal]), groupId);
}

/** The group has ended. */
export function unwatch(groupId: number): void {
  tell('-', groupId);
  release();
}

function release(): void {
  if (--groups > 0) return;
  guard?.stdin?.end();
  guard = undefined;
}

function tell(word: string, groupId: number): void {
  guard?.stdin?.write(`${word} ${groupId}\n`);
}

function start(): ChildProcess {
  // In a group of its own: what ends our group must not end its guard.
  const child = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  // It must not keep a thread alive that has nothing else to do.
  child.unref();
  return child;
}
