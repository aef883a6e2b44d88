/** Whatever stands in the files of a run, to read it takes time in proportion to its length. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { samplePlan } from '../../tests/support/analysis/sample-plan.js';
import { sampleEvents, sampleTelemetry } from '../../tests/support/analysis/sample-run.js';
import { FACTOR, growthOf, LINEAR } from '../../tests/support/growth.js';
import { lines } from '../../tests/support/report/run-folder.js';
import { tempFolder } from '../../tests/support/temp-folder.js';
import { readRun } from './read-log.js';
import { readMetrics } from './read-metrics.js';

const plan = samplePlan();
const head = lines(sampleEvents(plan).slice(0, -1));
const [line] = sampleTelemetry(plan);
const notice = {
  at: '2026-01-02T03:04:05.000Z',
  type: 'noticed',
  kind: 'node.down',
  happenedAt: '2026-01-02T03:04:05Z',
};

function many(size: number, item: (index: number) => unknown): string {
  return lines(Array.from({ length: size }, (_, index) => item(index) as object));
}

/** Both files of the log, with `size` parts of one kind. */
const logs: Readonly<Record<string, (size: number) => readonly [events: string, telemetry: string]>> = {
  notices: (size) => [
    head + many(size, (index) => ({ ...notice, seq: index, text: `n${index}`, about: `x${index}` })),
    '',
  ],
  'unknown events': (size) => [head + many(size, (seq) => ({ seq, at: notice.at, type: `t${seq}` })), ''],
  'lines that are no JSON': (size) => [head + '{\n'.repeat(size), '{\n'.repeat(size)],
  'empty lines': (size) => [head + '\n'.repeat(100 * size), '\n'.repeat(100 * size)],
  'bytes in one line': (size) => [`${head}${'x'.repeat(1000 * size)}\n`, 'x'.repeat(1000 * size)],
  batches: (size) => [head, many(size, (at) => ({ ...line, batch: { ...line?.batch, sequence: at + 1 } }))],
  workers: (size) => [head, many(size, (at) => ({ ...line, workerId: `w${at}` }))],
  'batches before those that are missing': (size) => [
    head,
    many(size, (at) => ({ ...line, batch: { ...line?.batch, sequence: 2 * at + 2 } })),
  ],
  replicas: (size) => [
    head +
      many(1, () => ({
        seq: 99,
        at: notice.at,
        type: 'replicas.changed',
        replicas: Array.from({ length: size }, (_, at) => ({ id: `r${at}`, url: `http://10.0.0.1:${at + 1}/` })),
      })),
    '',
  ],
  usage: (size) => [
    head +
      many(size, (at) => ({ seq: at, at: notice.at, type: 'usage', atMs: at, samples: [{ id: `r${at}`, cpu: 1 }] })),
    '',
  ],
};

describe('a log is read in linear time, with many', () => {
  test.each(Object.entries(logs))('%s', async (name, textOf) => {
    const size = 60;
    const folder = tempFolder();
    for (const one of [size, FACTOR * size]) {
      mkdirSync(join(folder, String(one)));
      const [events, telemetry] = textOf(one);
      writeFileSync(join(folder, String(one), 'events.jsonl'), events);
      writeFileSync(join(folder, String(one), 'telemetry.jsonl'), telemetry);
    }
    expect([name, (await growthOf((one) => readRun(join(folder, String(one))), size)) < LINEAR]).toEqual([name, true]);
  });
});

describe('metrics.json is read in linear time, with many', () => {
  const values = (size: number) => Array.from({ length: size }, (_, at) => [at, at]);
  const series = (task: number, size: number) => ({
    labels: { __name__: 'container_cpu_usage_seconds_total', task: `t${task}`, slot: '1', service: 's', node: 'n' },
    values: values(size),
  });
  const files: Readonly<Record<string, (size: number) => unknown>> = {
    tasks: (size) => Array.from({ length: size }, (_, task) => series(task, 5)),
    'series of one task': (size) => Array.from({ length: size }, () => series(1, 5)),
    values: (size) => [series(1, size)],
    'series that are wrong': (size) => Array.from({ length: size }, () => ({ labels: 1 })),
  };
  test.each(Object.entries(files))('%s', async (_, seriesOf) => {
    const size = 200;
    const folder = tempFolder();
    for (const one of [size, FACTOR * size]) {
      mkdirSync(join(folder, String(one)));
      const groups = [{ name: 'containers', series: seriesOf(one) }];
      writeFileSync(join(folder, String(one), 'metrics.json'), JSON.stringify({ schemaVersion: 1, groups }));
    }
    expect(await growthOf((one) => readMetrics(join(folder, String(one))), size)).toBeLessThan(LINEAR);
  });
});
