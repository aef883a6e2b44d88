import { appendFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { testPlan } from '../../tests/support/controller/test-plan.js';
import { batchOf } from '../../tests/support/controller/wire-worker.js';
import { EventLog, readEvents } from './event-log.js';
import type { RunEvent } from './events.js';
import { isRunId, runId } from './run-id.js';
import { readTelemetry, TelemetryLog, telemetryFiles } from './telemetry-log.js';

const folder = mkdtempSync(join(tmpdir(), 'swarmbench-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function freshPath(): string {
  return join(folder, `${(files += 1)}.jsonl`);
}
function now(): number {
  return Date.UTC(2026, 10, 20, 21, 14, 2);
}
const created = { type: 'run.created', runId: 'r', plan: testPlan([1]), command: 'c', version: 'v' } as const;
function line(sequence: number) {
  return {
    workerId: 'w1',
    receivedAt: '',
    batch: batchOf({ runId: 'r', sequence, fromMs: 0, toMs: 1, operations: sequence }),
  };
}

test('a run id sorts by time, names the scenario and is safe in a path', () => {
  expect(runId('Smoke test/1', now())).toMatch(/^20261120-211402-smoke-test-1-[a-z0-9]{4}$/);
  expect([runId('x', now()), runId('', now()), '..', 'latest', '20261120-211402-a/../../b-abcd'].map(isRunId)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('events are numbered, dated, folded and in the file when append returns', async () => {
  const path = freshPath();
  const log = EventLog.create(path, now);
  log.append(created);
  log.append({ type: 'controller.listening', url: 'u', pid: 1 });
  expect(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as RunEvent).seq),
  ).toEqual([1, 2]);
  expect(log.state.kind).toBe('deploying');
  expect(log.summary).toMatchObject({ runId: 'r', createdAt: '2026-11-20T21:14:02.000Z' });
  log.close();
  expect(() => log.append({ type: 'run.draining' })).toThrow(/after the log was closed/);
});

test('a log that is cut at any byte returns its complete events and continues after them', async () => {
  const path = freshPath();
  const log = EventLog.create(path, now);
  for (const body of [created, { type: 'run.draining' }, { type: 'run.analysing' }] as const) log.append(body);
  log.close();
  const bytes = readFileSync(path);
  const ends = [...bytes.entries()].flatMap(([index, byte]) => (byte === 0x0a ? [index + 1] : []));
  for (let cut = (ends[0] ?? 0) - 3; cut <= bytes.length; cut += 7) {
    writeFileSync(path, bytes.subarray(0, cut));
    const whole = ends.filter((end) => end <= cut).length;
    const again = await EventLog.reopen(path, now);
    expect(again.events).toHaveLength(whole);
    expect(again.log.append({ type: 'run.draining' }).seq).toBe(whole + 1);
    again.log.close();
    expect((await readEvents(path)).events.map(({ seq }) => seq)).toEqual(
      Array.from({ length: whole + 1 }, (_, index) => index + 1),
    );
  }
});

test('a broken line in the middle is reported with file and line', async () => {
  const path = freshPath();
  writeFileSync(path, '{"seq":1}\n{"seq"\n{"seq":3}\n');
  await expect(readEvents(path)).rejects.toMatchObject({
    code: 'LOG_CORRUPT',
    message: expect.stringContaining(`${path}:2`),
  });
});

test('a follower sees every event once, whether logged before or later, and ends with the log', async () => {
  const log = EventLog.create(freshPath(), now);
  log.append(created);
  log.append({ type: 'run.draining' });
  const seen: number[] = [];
  const following = (async () => {
    for await (const { seq } of log.follow(1)) seen.push(seq);
  })();
  for (let count = 0; count < 50; count += 1) {
    log.append({ type: 'run.draining' });
    if (count % 10 === 0) await new Promise(setImmediate);
  }
  log.close();
  await following;
  expect(seen).toEqual(Array.from({ length: 51 }, (_, index) => index + 2));
});

test('a follower can be aborted while it waits', async () => {
  const log = EventLog.create(freshPath(), now);
  const abort = new AbortController();
  const following = log.follow(0, abort.signal).next();
  setTimeout(() => abort.abort(), 20);
  expect(await following).toEqual({ done: true, value: undefined });
  log.close();
});

test('telemetry is on the disk when append resolves, in order, even when many batches come at once', async () => {
  const path = freshPath();
  const log = await TelemetryLog.create(path);
  await Promise.all(Array.from({ length: 20 }, (_, index) => log.append(line(index + 1))));
  const kept: number[] = [];
  for await (const { value } of readTelemetry(path)) kept.push(value.batch.sequence);
  expect(kept).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  await log.close();
});

test('a torn batch, which was never acknowledged, is cut off, and the next one is complete', async () => {
  const path = freshPath();
  const log = await TelemetryLog.create(path);
  await log.append(line(1));
  await log.close();
  appendFileSync(path, JSON.stringify(line(2)).slice(0, 100));
  const restored: number[] = [];
  const again = await TelemetryLog.reopen(path, ({ batch }) => restored.push(batch.sequence));
  await again.append(line(2));
  await again.close();
  const kept: number[] = [];
  for await (const { value } of readTelemetry(path)) kept.push(value.batch.sequence);
  expect([restored, kept]).toEqual([[1], [1, 2]]);
});

describe('a telemetry log that has outgrown its file', () => {
  async function sequences(runFolder: string): Promise<readonly number[]> {
    const kept: number[] = [];
    for (const path of await telemetryFiles(runFolder))
      for await (const { value } of readTelemetry(path)) kept.push(value.batch.sequence);
    return kept;
  }
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

  test('goes on in a new one; the older ones are compressed, and all are read in order', async () => {
    const runFolder = mkdtempSync(join(folder, 'run-'));
    const log = await TelemetryLog.create(join(runFolder, 'telemetry.jsonl'), 2000);
    for (const sequence of upTo(12)) await log.append(line(sequence), JSON.stringify(line(sequence).batch));
    expect(await sequences(runFolder)).toEqual(upTo(12));
    await log.close();
    const names = readdirSync(runFolder).toSorted();
    expect(names.length).toBeGreaterThan(3);
    expect(names.slice(0, -1).every((name) => /^telemetry-\d{5}\.jsonl\.gz$/.test(name))).toBe(true);
    expect(names.at(-1)).toBe('telemetry.jsonl');
    expect(await sequences(runFolder)).toEqual(upTo(12));
  });

  test('is adopted whole, also when its controller died while it changed files', async () => {
    const runFolder = mkdtempSync(join(folder, 'run-'));
    const path = join(runFolder, 'telemetry.jsonl');
    const log = await TelemetryLog.create(path, 2000);
    for (const sequence of upTo(7)) await log.append(line(sequence));
    await log.close();
    // Compressed and not yet removed; closed, and the next one not yet begun.
    const [first = ''] = readdirSync(runFolder).toSorted();
    writeFileSync(join(runFolder, first.replace('.gz', '')), gunzipSync(readFileSync(join(runFolder, first))));
    const last = readdirSync(runFolder).filter((name) => name.endsWith('.gz')).length + 1;
    renameSync(path, join(runFolder, `telemetry-${String(last).padStart(5, '0')}.jsonl`));
    const restored: number[] = [];
    const again = await TelemetryLog.reopen(path, ({ batch }) => restored.push(batch.sequence), 2000);
    expect(restored).toEqual(upTo(7));
    for (const sequence of [8, 9, 10, 11, 12]) await again.append(line(sequence));
    await again.close();
    expect(await sequences(runFolder)).toEqual(upTo(12));
    expect(readdirSync(runFolder).filter((name) => !name.endsWith('.gz'))).toEqual(['telemetry.jsonl']);
  });
});
