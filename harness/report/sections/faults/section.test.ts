import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { foldRun } from '../../../../tests/support/analysis/fold-run.js';
import { samplePlan, sampleStage } from '../../../../tests/support/analysis/sample-plan.js';
import { sampleEvents, sampleTelemetry } from '../../../../tests/support/analysis/sample-run.js';
import { runFolder } from '../../../../tests/support/report/run-folder.js';
import type { RunEvent, RunEventBody } from '../../../log/events.js';
import type { Replica } from '../../../platform/platform.js';
import { buildReport } from '../../build-report.js';
import { renderHtml } from '../../html/page.js';
import { type Report, reportSchema } from '../../schema.js';
import { renderMarkdown } from '../../text/markdown.js';
import { writeReport } from '../../write-report.js';

const START = Date.parse('2026-01-02T03:04:00.000Z');
const plan = samplePlan({
  stages: [sampleStage({ index: 0, name: 'steady', startMs: 0, durationMs: 60_000 })],
  faults: [
    { id: 'f1', name: 'scale', kind: 'scale', service: 'mcp-server', replicas: 2, atMs: 20_000, untilMs: 40_000 },
  ],
});
function replica(slot: number): Replica {
  return { id: `mcp-server.${slot}`, node: 'n1', slot, task: `t${slot}`, url: `http://10.0.0.${slot}:3000/mcp` };
}
const moments: readonly (readonly [atMs: number, body: RunEventBody])[] = [
  [
    20_000,
    {
      type: 'fault.started',
      faultId: 'f1',
      kind: 'scale',
      target: 'mcp-server: 1 to 2 replicas',
      before: { replicas: 1 },
    },
  ],
  [26_500, { type: 'fault.settled', faultId: 'f1', phase: 'injected' }],
  [26_500, { type: 'replicas.changed', replicas: [replica(1), replica(2)] }],
  [40_000, { type: 'fault.ended', faultId: 'f1', reason: 'time' }],
  [40_100, { type: 'fault.undone', faultId: 'f1' }],
  [43_000, { type: 'fault.settled', faultId: 'f1', phase: 'undone' }],
  [43_000, { type: 'replicas.changed', replicas: [replica(1)] }],
];

function report(): Report {
  const ready: RunEventBody = { type: 'target.ready', endpoints: ['http://gateway/mcp'], replicas: [replica(1)] };
  const events = sampleEvents(plan, [ready, ...moments.map(([, body]) => body)]).map((event): RunEvent => {
    const at = moments.find(
      ([, body]) =>
        body.type === event.type && JSON.stringify({ seq: event.seq, at: event.at, ...body }) === JSON.stringify(event),
    )?.[0];
    return at === undefined ? event : { ...event, at: new Date(START + at).toISOString() };
  });
  // Four answers fail in the two seconds after the undo.
  const telemetry = sampleTelemetry(plan, {
    change: (series, second) =>
      second === 41 && series.operation === 'echo'
        ? { ...series, succeeded: series.succeeded - 2, failed: 2, errors: { session_lost: 2 } }
        : series,
  });
  return buildReport(foldRun(events, telemetry), [
    {
      id: 'mcp-server.2',
      service: 'mcp-server',
      task: 't2',
      node: 'n1',
      points: [{ t: 30, cpu: 0.25, memoryBytes: 5e7, sentBytesPerSecond: 9 }],
    },
  ]);
}

test('a fault is reported with its times, its convergence, its recovery and its failed operations', () => {
  const made = report();
  expect(reportSchema.parse(made)).toEqual(made);
  expect(made.faults).toEqual([
    {
      id: 'f1',
      kind: 'scale',
      name: 'scale',
      target: 'mcp-server: 1 to 2 replicas',
      replicas: [],
      orderedAtSeconds: null,
      outcome: null,
      appliedAtSeconds: 26.5,
      followed: [],
      noticed: [],
      undoForced: false,
      left: [],
      // The log has no outcomes around faults.
      effects: null,
      endedBy: 'time',
      at: '2026-01-02T03:04:20.000Z',
      atSeconds: 20,
      undoneAt: '2026-01-02T03:04:40.000Z',
      undoneAtSeconds: 40,
      convergenceSeconds: 6.5,
      recoverySeconds: 0,
      undo: { convergenceSeconds: 3, recoverySeconds: 0 },
      failedDuring: 4,
    },
  ]);
});

test('a replica that came and went is listed with its place, its time and its use as Prometheus scraped it', () => {
  const { replicas, usage } = report();
  expect(replicas).toMatchObject([
    { id: 'mcp-server.1', task: 't1', cpu: null },
    {
      id: 'mcp-server.2',
      task: 't2',
      node: 'n1',
      cameAtSeconds: 26.5,
      goneAtSeconds: 43,
      cpu: { mean: 0.25, worst: 0.25 },
      memoryBytes: { worst: 5e7 },
      sentBytesPerSecond: { worst: 9 },
    },
  ]);
  expect(replicas[0]).not.toHaveProperty('goneAtSeconds');
  expect(usage.map(({ id, source, role }) => [id, source, role])).toEqual([['mcp-server.2', 'metrics.json', 'target']]);
});

test('the page shades it in every chart over time; page and Markdown have a table of it', () => {
  const page = renderHtml(report());
  expect(page.match(/class="shade"/g)?.length).toBeGreaterThanOrEqual(8);
  expect(page).toMatch(/id="faults"[^]*mcp-server: 1 to 2 replicas[^]*6\.5 s[^]*never fell/);
  expect(page).toContain('Scraped by Prometheus (metrics.json)');
  expect(renderMarkdown(report())).toContain('| f1 scale | mcp-server: 1 to 2 replicas | 20 s | 6.5 s |');
});

test('resource use comes from metrics.json where there is one, each time the report is rendered', async () => {
  const place = { service: 'client-sim-normal', slot: 1, task: 'w', node: 'n1' };
  await using folder = await runFolder(plan, {}, [
    { type: 'target.ready', endpoints: [], replicas: [replica(1)] },
    {
      type: 'worker.registered',
      workerId: 'w1',
      place,
      worker: {
        protocol: 1,
        host: 'h',
        pid: 1,
        capacity: { clients: 1, ratePerSecond: 1, connections: 1 },
        threads: 1,
        version: '1',
        incarnation: '00000000-0000-4000-8000-000000000000',
      },
    },
    {
      type: 'usage',
      atMs: 3000,
      samples: [
        { id: 'mcp-server.1', role: 'target', cpu: 0.9, memoryBytes: 1 },
        { id: 'client-sim-normal.1', role: 'worker', cpu: 0.1, memoryBytes: 1 },
      ],
    },
  ]);
  const sources = async (): Promise<readonly unknown[]> =>
    (await writeReport(folder.path)).usage.map(({ id, source, points }) => [id, source, points[0]?.cpu]);
  expect(await sources()).toEqual([
    ['client-sim-normal.1', 'samples', 0.1],
    ['mcp-server.1', 'samples', 0.9],
  ]);
  const raw = (name: string, values: readonly (readonly [number, number])[]) => ({
    labels: { __name__: name, service: 'mcp-server', slot: '1', node: 'n1', task: 't1' },
    values,
  });
  const containers = {
    name: 'containers',
    query: 'q',
    series: [
      raw('container_cpu_usage_seconds_total', [
        [0, 1],
        [5, 2],
      ]),
      raw('container_memory_working_set_bytes', [
        [0, 7],
        [5, 8],
      ]),
    ],
  };
  await writeFile(
    join(folder.path, 'metrics.json'),
    JSON.stringify({ schemaVersion: 1, startedAt: '2026-01-02T03:04:00.000Z', stepSeconds: 5, groups: [containers] }),
  );
  const scraped = [
    ['mcp-server.1', 'metrics.json', 0.2],
    ['client-sim-normal.1', 'samples', 0.1],
  ];
  expect(await sources()).toEqual(scraped);
  expect(await sources()).toEqual(scraped);
});
