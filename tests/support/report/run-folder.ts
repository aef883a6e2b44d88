import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEventBody } from '../../../harness/log/events.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { check, samplePlan, sampleProfile, sampleStage, threshold } from '../analysis/sample-plan.js';
import { failing, type SampleOptions, sampleEvents, sampleTelemetry } from '../analysis/sample-run.js';

interface RunFolder extends AsyncDisposable {
  readonly path: string;
}

/** The folder of one run, as its controller would have left it. */
export async function runFolder(
  plan: Plan,
  options: SampleOptions = {},
  more: readonly RunEventBody[] = [],
): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), 'swarmbench-report-'));
  await writeFile(join(path, 'events.jsonl'), lines(sampleEvents(plan, more, options.workers ?? 2)));
  await writeFile(join(path, 'telemetry.jsonl'), lines(sampleTelemetry(plan, options)));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export function lines(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** Every kind of attack that a server or an author can write into a report. */
export const hostile =
  `"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;' ` +
  '`]]>--> | [x](javascript:alert(3)) \u0000\u001b[31m\u202e\ud800';

/** Two profiles, a ramp, errors of several kinds, a stall, resource use and events, so that most sections have data. */
export function richPlan(): Plan {
  return samplePlan({
    scenario: 'mixed-workload',
    description: hostile,
    profiles: [
      sampleProfile(),
      sampleProfile({ name: 'bulk', firstSlot: 4, session: { mode: 'churn', every: { operations: 100 } } }),
    ],
    stages: [
      sampleStage({ index: 0, name: 'ramp-up', startMs: 0, durationMs: 5000, measured: false }),
      sampleStage({ index: 1, name: hostile.slice(0, 40), startMs: 5000, durationMs: 20_000 }),
    ],
    thresholds: [
      threshold(check('latency.p95', '<', 200)),
      threshold(check('latency.p99', '<', 2)),
      threshold(check('errors.rate', '<', 0.5)),
      threshold(check('throughput', '>', 50)),
      threshold(check('connect.p99', '<', 1000, { stage: hostile.slice(0, 40) })),
      threshold(check('errors.count', '==', 0)),
    ],
    warnings: [hostile],
  });
}

export const richOptions: SampleOptions = {
  workers: 2,
  replicas: ['replica-1', hostile],
  latencyUs: (second, i, worker) => (second === 12 ? 900_000 : 3000) + i * 130 + worker * 70,
  change: (series, second) => {
    if (second === 13) return failing(failing(series, 2, 'http_503'), 1, hostile);
    return second % 5 === 4 ? failing(series, 1, 'tool_error') : series;
  },
  samples: [
    {
      category: 'http_503',
      profile: 'normal',
      operation: hostile,
      atMs: 13_000,
      detail: hostile,
      request: hostile,
      response: hostile.repeat(2000),
    },
    { category: hostile, profile: hostile, operation: 'echo', atMs: 13_000, detail: hostile },
  ],
};

export const richEvents: readonly RunEventBody[] = [
  { type: 'worker.saturated', workerId: 'w1', reason: hostile },
  ...Array.from(
    { length: 25 },
    (_, second): RunEventBody => ({
      type: 'usage',
      atMs: second * 1000,
      samples: [
        { id: 'replica-1', role: 'target', cpu: 0.5 + second / 100, memoryBytes: 5e7 + second * 1e6 },
        { id: hostile, role: 'worker', cpu: 0.2, memoryBytes: 8e7 },
      ],
    }),
  ),
];
