/** Reads of /proc/PID/stat (proc(5)). Everything is undefined when there is no such process, or no /proc (macOS). */
import { readFileSync } from 'node:fs';

/** The fields after the command name; [0] is field 3, the state. */
export function statFields(pid: number): readonly string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command name stands in parentheses and may itself hold spaces and parentheses: count from the last one.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/**
 * When a process started, in clock ticks since boot (field 22). It distinguishes a process from a later one with the
 * same id. Undefined for a zombie, too.
 */
export function startTicks(pid: number): number | undefined {
  const fields = statFields(pid);
  const ticks = Number(fields?.[19]);
  return fields?.[0] === 'Z' || !Number.isFinite(ticks) ? undefined : ticks;
}
