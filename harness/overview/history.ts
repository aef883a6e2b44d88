/** `history.jsonl`: one line a run, for years. Latencies are in ms, rates per second, shares 0 to 1. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Report } from '../report/schema.js';
import { shownQuantiles } from '../report/sections/shared/fields.js';
import { fingerprintOf, settingOf } from '../report/setting.js';

const entry = z.object({
  schemaVersion: z.literal(1),
  runId: z.string(),
  scenario: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  verdict: z.enum(['passed', 'failed', 'invalid', 'incomplete']),
  labels: z.record(z.string(), z.string()),
  /** Of the load, the target and the environment: runs with the same one are comparable. */
  fingerprint: z.string(),
  server: z.string().optional(),
  figures: z.object({
    offered: z.number(),
    sent: z.number(),
    failed: z.number(),
    throughputPerSecond: z.number().nullable(),
    errorRate: z.number().nullable(),
    /** By quantile: `p50`, `p95` ... */
    latencyMs: z.record(z.string(), z.number().nullable()),
  }),
});
export type HistoryEntry = z.infer<typeof entry>;

export function entryOf(report: Report): HistoryEntry {
  const { run, verdict, summary } = report;
  const { offered, sent, failed, throughputPerSecond, errorRate, latencyMs } = summary;
  const setting = settingOf(report);
  const server = setting.subject.find(([name]) => name === 'server')?.[1];
  return {
    schemaVersion: 1,
    runId: run.id,
    scenario: run.scenario,
    startedAt: run.startedAt ?? '',
    verdict: verdict.kind,
    labels: run.labels,
    fingerprint: fingerprintOf(setting),
    ...(server === undefined ? {} : { server }),
    figures: {
      offered,
      sent,
      failed,
      throughputPerSecond,
      errorRate,
      latencyMs: Object.fromEntries(shownQuantiles(latencyMs)),
    },
  };
}

/** By time. @throws Error with the line that is not ours */
export function readHistory(file: string): readonly HistoryEntry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const entries = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = entry.safeParse(parseJson(line));
    if (parsed.success) return [parsed.data];
    throw new Error(`${file}:${index + 1} is no line of \`swarmbench history add\``);
  });
  return entries.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : Number(a.startedAt > b.startedAt)));
}

/** Appends those that are not in it, each a line. @returns them */
export function addToHistory(file: string, entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const known = new Set(readHistory(file).map(({ runId }) => runId));
  const fresh = entries.filter(({ runId }) => !known.has(runId));
  if (fresh.length === 0) return fresh;
  // A file that was edited by hand may lack its last line break.
  const open = existsSync(file) && !/(?:^|\n)$/.test(readFileSync(file, 'utf8'));
  appendFileSync(file, `${open ? '\n' : ''}${fresh.map((one) => JSON.stringify(one)).join('\n')}\n`);
  return fresh;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
