import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill, pid as ownPid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseHolder } from '../../log/run-folder.js';
import type { StartedProgram } from '../../platform/platform.js';

/**
 * When a process began, in clock ticks since boot: field 22 of /proc/PID/stat. With it a process is told from a later
 * one that got the same number. Undefined: there is no such process, or no /proc.
 */
export function startTicks(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // Field 2 is the program's name in parentheses and may hold spaces and parentheses itself: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const ticks = Number(fields[19]);
  return state === 'Z' || !Number.isFinite(ticks) ? undefined : ticks;
}

/** Whether this very process still runs. Without its start ticks one cannot know, and the answer is no. */
export function isRunning(program: { readonly pid: number; readonly startTicks: number | undefined }): boolean {
  return program.startTicks !== undefined && startTicks(program.pid) === program.startTicks;
}

export function thisProcess(): LeaseHolder {
  return { host: hostname(), pid: ownPid, startTicks: startTicks(ownPid) };
}

/**
 * Ends programs that a controller before this one started: asks (SIGTERM), waits at most `graceMs`, then insists. Only
 * processes proven to be the same are touched; all others have a lease of their own and end by themselves.
 */
export async function endPrograms(programs: readonly StartedProgram[], graceMs = 3000): Promise<void> {
  signalAll(programs, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < graceMs && programs.some(isRunning); waitedMs += 50) await sleep(50);
  signalAll(programs, 'SIGKILL');
}

function signalAll(programs: readonly StartedProgram[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const program of programs) {
    if (!isRunning(program)) continue;
    // Platforms start programs as leaders of a group of their own, with everything they start in turn.
    if (!send(-program.pid, signal)) send(program.pid, signal);
  }
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    return kill(pid, signal);
  } catch {
    // No such group, or it ended between the look and the signal.
    return false;
  }
}
