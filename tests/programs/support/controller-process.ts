/**
 * A controller in its own process, which tests can kill:
 *
 *     controller-process.js RESULTS PORT [SECONDS POLICY [FROM TO]]
 *
 * With SECONDS it starts a run, otherwise it adopts the runs it finds. FROM and TO (ms) add a fault, which writes to
 * RESULTS/faults.log. Prints its port, then each finished run, as JSON lines. LEASE_MS: how long its workers go on
 * without a controller; the default gives a busy machine time to start another one.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, exit, stdout } from 'node:process';
import { startApi } from '../../../harness/api/start-api.js';
import { Controller } from '../../../harness/controller/controller.js';
import type { Run } from '../../../harness/controller/run/run.js';
import { isRunId } from '../../../harness/log/run-id.js';
import type { FaultPlan, WorkerLossPolicy } from '../../../scenarios/schema/plan.js';
import { quickTimings } from '../../support/controller/controller-bench.js';
import { FakePlatform, fakeInjector } from '../../support/controller/fake-platform.js';
import { testPlan } from '../../support/controller/test-plan.js';

const [, , resultsFolder = '', port = '0', seconds, policy = 'fail', fromMs, toMs] = argv;
const timings = { ...quickTimings, leaseMs: Number(env.LEASE_MS ?? 20_000), lastBatchesMs: 10_000 };
const platform = new FakePlatform();
function runFolder(): string {
  return join(resultsFolder, readdirSync(resultsFolder).find(isRunId) ?? '');
}
platform.faults = fakeInjector(join(resultsFolder, 'faults.log'), runFolder);
const faults: readonly FaultPlan[] =
  fromMs === undefined
    ? []
    : [
        {
          id: 'f1',
          name: 'scale',
          kind: 'scale',
          service: 'mcp-server',
          replicas: 3,
          atMs: Number(fromMs),
          untilMs: Number(toMs),
        },
      ];
const controller = new Controller({
  resultsFolder,
  platform: () => platform,
  writeReport: async () => undefined,
  version: 'test',
  timings,
});
const { adopted, problems } = seconds === undefined ? await controller.adopt() : { adopted: [], problems: [] };
const api = await startApi(controller, { host: '127.0.0.1', port: Number(port), version: 'test' });
print({
  port: Number(new URL(api.url).port),
  adopted: adopted.map(({ run, controllerUrl }) => ({ id: run.id, controllerUrl })),
  problems,
});
const runs: readonly Run[] =
  seconds === undefined
    ? adopted.map(({ run }) => run)
    : [
        controller.submit(testPlan([Number(seconds)], { onWorkerLoss: policy as WorkerLossPolicy, faults }), {
          command: 'test',
          workers: 2,
        }),
      ];
for (const run of runs) print(await run.finished);
await controller.close();
await api.close();
exit(0);

function print(value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`);
}
