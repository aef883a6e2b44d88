import { hostname } from 'node:os';
import { kill, pid as ownPid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseHolder } from '../../log/run-folder.js';
import type { StartedProgram } from '../../platform/platform.js';
import { startTicks } from '../../platform/proc-stat.js';

/** Whether this very process still runs. Without its start ticks that is unknown, and the answer is no. */
export function isRunning(program: { readonly pid: number; readonly startTicks: number | undefined }): boolean {
  return program.startTicks !== undefined && startTicks(program.pid) === program.startTicks;
}

export function thisProcess(): LeaseHolder {
  return { host: hostname(), pid: ownPid, startTicks: startTicks(ownPid) };
}

/**
 * Ends programs that the previous controller started: SIGTERM, then SIGKILL after at most `graceMs`. Processes that are
 * not proven to be these programs are left alone; programs also end by themselves when the lease is gone.
 */
export async function endPrograms(programs: readonly StartedProgram[], graceMs = 3000): Promise<void> {
  signalAll(programs, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < graceMs && programs.some(isRunning); waitedMs += 50) await sleep(50);
  signalAll(programs, 'SIGKILL');
}

function signalAll(programs: readonly StartedProgram[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const program of programs) {
    if (!isRunning(program)) continue;
    // Platforms start each program as the leader of its own process group, which holds everything it starts in turn.
    if (!send(-program.pid, signal)) send(program.pid, signal);
  }
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    return kill(pid, signal);
  } catch {
    // There is no such group, or it ended between the check and the signal.
    return false;
  }
}
