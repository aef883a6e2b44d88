/**
 * A controller in a process of its own, to be killed: `controller-process.js RESULTS PORT [SECONDS POLICY]`. With SECONDS
 * it begins a run, without it adopts what it finds. Writes its port, then the verdict of each run that ends, as JSON lines.
 */
import { argv, exit, stdout } from 'node:process';
import { startApi } from '../../api/start.js';
import { createController } from '../controller.js';
import type { Run } from '../run/run.js';
import type { WorkerLossPolicy } from '../../../scenarios/schema/plan.js';
import { FakePlatform } from './fake-platform.js';
import { quick } from './bench.js';
import { testPlan } from './plan.js';

const [, , resultsFolder = '', port = '0', seconds, policy = 'fail'] = argv;
const platform = new FakePlatform();
const controller = createController({ resultsFolder, platform: () => platform, writeReport: async () => undefined, version: 'test', timings: quick });
const { adopted, problems } = seconds === undefined ? await controller.adopt() : { adopted: [], problems: [] };
const api = await startApi(controller, { host: '127.0.0.1', port: Number(port), version: 'test' });
say({ port: Number(new URL(api.url).port), adopted: adopted.map(({ run, controllerUrl }) => ({ id: run.id, controllerUrl })), problems });
const runs: readonly Run[] = seconds === undefined
  ? adopted.map(({ run }) => run)
  : [controller.submit(testPlan([Number(seconds)], { onWorkerLoss: policy as WorkerLossPolicy }), { command: 'test', workers: 2 })];
for (const run of runs) say(await run.finished);
await controller.close();
await api.close();
exit(0);

function say(what: unknown): void {
  stdout.write(`${JSON.stringify(what)}\n`);
}
