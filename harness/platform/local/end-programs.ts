/** Ends our own child processes with everything they started: SIGTERM, a budget, SIGKILL, a budget. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { ProcessHost } from './host.js';
import type { Program } from './program.js';

const TERM_BUDGET_MS = 5_000;
const KILL_BUDGET_MS = 2_000;

/** Takes at most 7 s. Returns the names of those that are still there; normally none. */
export async function endPrograms(programs: readonly Program[], host: ProcessHost): Promise<readonly string[]> {
  for (const program of running(programs)) host.kill(-program.pid, 'SIGTERM');
  await allExited(programs, TERM_BUDGET_MS);
  // Every group, also when its first process is gone: what that one started may still be there.
  for (const program of programs) host.kill(-program.pid, 'SIGKILL');
  await allExited(programs, KILL_BUDGET_MS);
  return running(programs).map((program) => program.name);
}

function running(programs: readonly Program[]): readonly Program[] {
  return programs.filter((program) => program.exit() === undefined);
}

async function allExited(programs: readonly Program[], budgetMs: number): Promise<void> {
  const budget = new AbortController();
  const all = Promise.all(programs.map((program) => program.exited));
  await Promise.race([all, sleep(budgetMs, undefined, { signal: budget.signal }).catch(() => undefined)]);
  budget.abort();
}
