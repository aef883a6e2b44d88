import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createLocalPlatform } from '../../harness/platform/local/local-platform.js';
import type { ProcessHost } from '../../harness/platform/local/program.js';
import { loadPlan } from '../../scenarios/schema/load-plan.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import { ControllerBench } from '../support/controller/controller-bench.js';
import { packageRoot } from '../support/package-root.js';

const benches: ControllerBench[] = [];
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()));
});

const host: ProcessHost = {
  execPath: process.execPath,
  platform: process.platform,
  env: process.env,
  kill: (pid, signal) => {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },
};

async function bench(): Promise<ControllerBench> {
  const platform = createLocalPlatform({
    host,
    threads: 1,
    packageRoot,
    versions: { swarmbench: '0', node: process.version },
  });
  const made = await new ControllerBench({ platform: () => platform, timings: {} }).start();
  benches.push(made);
  return made;
}

function plan(sets: readonly string[]): Plan {
  const result = loadPlan({ scenario: 'smoke', sets: ['target.server=sink', ...sets], timeScale: 0.2, env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}

test('a run with real workers against a real target is complete', async () => {
  const { controller } = await bench();
  const run = controller.submit(plan([]), { command: 'test', workers: 2 });
  const finished = await run.finished;
  expect({
    ...finished,
    log: finished.failure && readFileSync(join(run.folder, 'events.jsonl'), 'utf8'),
  }).toMatchObject({ failure: undefined, stopped: undefined, problems: [] });
  // On a busy machine the verdict may be invalid, but never incomplete.
  expect(finished.verdict.kind).not.toBe('incomplete');
}, 60_000);
