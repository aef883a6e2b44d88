/** A report stays small, whatever the length of the run and the number of its operations. */
import { beforeAll, expect, test } from '@jest/globals';
import { samplePlan, sampleStage } from '../../tests/support/analysis/sample-plan.js';
import { encode, sampleEvents, sampleTelemetry } from '../../tests/support/analysis/sample-run.js';
import { RunFold } from '../analysis/fold-run.js';
import { buildReport } from './build-report.js';
import { renderHtml } from './html/page.js';
import type { Report } from './schema.js';
import { longLists } from './text/long-lists.js';
import { renderMarkdown } from './text/markdown.js';
import { jsonOf, withBusiestOperations } from './write-report.js';

const operations = 5000;
const seconds = 8 * 3600;
const latency = encode([1000, 2000, 3000, 40_000]);
let full: Report;
let report: Report;

beforeAll(() => {
  const small = samplePlan();
  const [profile] = small.profiles;
  const [operation] = profile?.operations ?? [];
  if (profile === undefined || operation === undefined) throw new Error('the sample has no operation');
  const names = Array.from({ length: operations }, (_, index) => `operation-${index}`);
  const plan = samplePlan({
    profiles: [{ ...profile, operations: names.map((name) => ({ ...operation, name })) }],
    stages: [sampleStage({ index: 0, name: 'long', startMs: 0, durationMs: seconds * 1000 })],
  });
  const [line] = sampleTelemetry(small, { workers: 1 });
  const [series] = line?.batch.series ?? [];
  if (line === undefined || series === undefined) throw new Error('the sample has no telemetry');
  const fold = new RunFold();
  for (const event of sampleEvents(plan, [], 1)) fold.event(event);
  for (let second = 0; second < seconds; second += 1) {
    const { health: _, ...batch } = line.batch;
    const own = {
      ...series,
      stage: 0,
      profile: profile.name,
      operation: names[second % operations] ?? '',
      offered: 4,
      sent: 4,
      succeeded: 4,
      histograms: { latency, service: latency },
    };
    const [fromMs, toMs] = [second * 1000, (second + 1) * 1000];
    fold.telemetry({ ...line, batch: { ...batch, sequence: second + 1, fromMs, toMs, stage: 0, series: [own] } });
  }
  full = buildReport(fold.model());
  report = withBusiestOperations(full);
});

test('the page has at most 2 MB, and 50 rows of a table in sight', () => {
  const page = renderHtml(report);
  expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
  expect(page).toContain(`The first 50 of 2000 rows. All of them are in operations.csv.`);
  expect(page).toContain('200 more rows');
});

test('report.md has 50 rows of operations, so that a job summary can hold it', () => {
  const text = renderMarkdown(report);
  expect(Buffer.byteLength(text)).toBeLessThan(50_000);
  expect(text).toContain('The busiest 50 of 2000 operations');
});

test('report.json has at most 5 MB, with the busiest operations, and every second counts in it', () => {
  const text = jsonOf(report);
  expect(Buffer.byteLength(text)).toBeLessThan(5_000_000);
  expect(JSON.parse(text)).toEqual(report);
  expect(report.timeline.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(4 * seconds);
  expect(report.operations).toHaveLength(2000);
  expect(report.notes.at(-1)).toContain(`the busiest 2000 of ${operations} operations`);
  expect(report.summary.succeeded).toBe(4 * seconds);
});

test('a list with more rows than are in sight is a CSV file with a line for each', () => {
  const files = new Map(longLists(full));
  expect([...files.keys()]).toEqual(['operations.csv']);
  const lines = (files.get('operations.csv') ?? '').trimEnd().split('\n');
  expect(lines).toHaveLength(operations + 1);
  expect(lines[0]).toMatch(/^name,profile,method,offered,.*latencyMs\.p95/);
});
