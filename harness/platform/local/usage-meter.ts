import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { StartedProgram, UsageSample } from '../platform.js';
import { hasProc, type ProcessUsage, treeUsage } from './proc.js';

type UsageMeter = () => Promise<readonly UsageSample[]>;

/**
 * Each call returns, for each program with its descendants, the CPU use since the previous call (as a share of one
 * core) and the current memory. Programs that are gone are left out.
 */
export function createUsageMeter(programs: readonly StartedProgram[]): UsageMeter {
  const before = new Map<number, { readonly cpuSeconds: number; readonly atMs: number }>();
  return async () => {
    const uses = hasProc ? procUsage(programs) : await psUsage(programs);
    const atMs = performance.now();
    return programs.flatMap((program) => {
      const { role } = program;
      const use = uses.get(program.pid);
      if (use === undefined || role === 'helper') return [];
      const last = before.get(program.pid);
      before.set(program.pid, { cpuSeconds: use.cpuSeconds, atMs });
      const elapsedSeconds = last === undefined ? 0 : (atMs - last.atMs) / 1000;
      const cpu =
        last === undefined || elapsedSeconds <= 0 ? 0 : Math.max(0, use.cpuSeconds - last.cpuSeconds) / elapsedSeconds;
      return [{ id: program.name, role, cpu, memoryBytes: use.memoryBytes }];
    });
  };
}

function procUsage(programs: readonly StartedProgram[]): Map<number, ProcessUsage> {
  const uses = new Map<number, ProcessUsage>();
  for (const { pid } of programs) {
    const use = treeUsage(pid);
    if (use !== undefined) uses.set(pid, use);
  }
  return uses;
}

async function psUsage(programs: readonly StartedProgram[]): Promise<Map<number, ProcessUsage>> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=,time=']);
  return sumTrees(
    parsePs(stdout),
    programs.map((program) => program.pid),
  );
}

interface PsRow extends ProcessUsage {
  readonly pid: number;
  readonly parent: number;
}

/** Rows of `ps -o pid=,ppid=,rss=,time=`; rss in KiB, time as `[[dd-]hh:]mm:ss[.ss]`. */
export function parsePs(text: string): readonly PsRow[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [pid = '', parent = '', rss = '', time = ''] = line.trim().split(/\s+/);
      const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
      const seconds = (clock ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
      return {
        pid: Number(pid),
        parent: Number(parent),
        memoryBytes: Number(rss) * 1024,
        cpuSeconds: Number(days) * 86_400 + seconds,
      };
    });
}

export function sumTrees(rows: readonly PsRow[], roots: readonly number[]): Map<number, ProcessUsage> {
  const sum = (row: PsRow): ProcessUsage => {
    const below = rows.filter((candidate) => candidate.parent === row.pid).map(sum);
    return below.reduce<ProcessUsage>(
      (total, use) => ({
        cpuSeconds: total.cpuSeconds + use.cpuSeconds,
        memoryBytes: total.memoryBytes + use.memoryBytes,
      }),
      { cpuSeconds: row.cpuSeconds, memoryBytes: row.memoryBytes },
    );
  };
  return new Map(rows.filter((row) => roots.includes(row.pid)).map((row) => [row.pid, sum(row)]));
}
