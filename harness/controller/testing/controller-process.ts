/**
 * A controller in a process of its own, to be killed: `controller-process.js RESULTS PORT [SECONDS POLICY [FROM TO]]`.
 * With SECONDS it begins a run, without it adopts what it finds; with a fault from FROM to TO, ms, which writes to
 * RESULTS/faults.log. Writes its port, then the verdict of each run that ends, as JSON lines. LEASE_MS: how long its
 * workers do without a controller; the default leaves a busy machine time to start another one.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, exit, stdout } from 'node:process';
import type { FaultPlan, WorkerLossPolicy } from '../../../scenarios/schema/plan.js';
import { startApi } from '../../api/start-api.js';
import { isRunId } from '../../log/run-id.js';
import { createController } from '../controller.js';
import type { Run } from '../run/run.js';
import { quick } from './bench.js';
import { FakePlatform, fakeInjector } from './fake-platform.js';
import { testPlan } from './test-plan.js';

const [, , resultsFolder = '', port = '0', seconds, policy = 'fail', fromMs, toMs] = argv;
const timings = { ...quick, leaseMs: Number(env.LEASE_MS ?? 20_000), lastBatchesMs: 10_000 };
const platform = new FakePlatform();
function newest(): string {
  return join(resultsFolder, readdirSync(resultsFolder).find(isRunId) ?? '');
}
platform.faults = fakeInjector(join(resultsFolder, 'faults.log'), newest);
const faults: readonly FaultPlan[] =
  fromMs === undefined
    ? []
    : [{ id: 'f1', kind: 'scale', service: 'mcp-server', replicas: 3, atMs: Number(fromMs), untilMs: Number(toMs) }];
const controller = createController({
  resultsFolder,
  platform: () => platform,
  writeReport: async () => undefined,
  version: 'test',
  timings,
});
const { adopted, problems } = seconds === undefined ? await controller.adopt() : { adopted: [], problems: [] };
const api = await startApi(controller, { host: '127.0.0.1', port: Number(port), version: 'test' });
say({
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
for (const run of runs) say(await run.finished);
await controller.close();
await api.close();
exit(0);

function say(what: unknown): void {
  stdout.write(`${JSON.stringify(what)}\n`);
}
