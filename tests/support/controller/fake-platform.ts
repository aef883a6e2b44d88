import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { urlEndpoints } from '../../../client-sim/protocol/endpoints.js';
import type {
  Environment,
  FaultInjector,
  Platform,
  PlatformContext,
  UsageSample,
  Watched,
} from '../../../harness/platform/platform.js';
import { startTicks } from '../../../harness/platform/proc-stat.js';
import type { FaultPlan, Plan } from '../../../scenarios/schema/plan.js';

/** Starts processes of the fake worker, but no target. `children` are those of the last run, by slot. */
export class FakePlatform implements Platform {
  readonly name = 'local';
  children: readonly ChildProcess[] = [];
  refused: readonly string[] = [];
  faults?: FaultInjector;

  refusals(): readonly string[] {
    return this.refused;
  }

  adopt(): Watched {
    return { usage };
  }

  async prepare(plan: Plan, context: PlatformContext): Promise<Environment> {
    const count = context.workers ?? 2;
    this.children = Array.from({ length: count }, (_, index) => startFakeWorker(context, index + 1));
    const children = this.children;
    return {
      endpoints: plan.target.kind === 'url' ? urlEndpoints(plan.target) : [],
      expectedWorkers: count,
      workerLogs: 'in the run folder',
      replicas: [],
      describe: async () => ({ fake: true }),
      usage,
      brokenWorker: () => {
        const child = children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
        return child && `pid ${child.pid} ended with ${child.signalCode ?? child.exitCode}`;
      },
      teardown: async () => {
        await Promise.all(children.map(end));
      },
    };
  }
}

async function usage(): Promise<readonly UsageSample[]> {
  return [{ id: 'worker-1', role: 'worker', cpu: 0.1, memoryBytes: 1e6 }];
}

function startFakeWorker(context: PlatformContext, slot: number): ChildProcess {
  const log = openSync(join(context.runFolder, `worker-${slot}.log`), 'a');
  const entry = fileURLToPath(new URL('./fake-worker.js', import.meta.url));
  const args = [entry, context.controllerUrl, String(slot), context.workerToken];
  const child = spawn(execPath, args, { stdio: ['ignore', log, log], detached: true });
  const pid = child.pid ?? 0;
  context.started({ role: 'worker', name: `worker-${slot}`, pid, startTicks: startTicks(pid) });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

type ScaleFault = Extract<FaultPlan, { readonly kind: 'scale' }>;

/**
 * Writes a line to a file for each order, so that the orders of a killed controller can be read. `inject` also writes
 * how many `fault.started` events the log of the run held at that moment.
 */
export function fakeInjector(
  file: string,
  runFolder: () => string,
  failing: 'inspect' | 'inject' | 'witness' | undefined = undefined,
): FaultInjector {
  const order = (line: string): void => appendFileSync(file, `${line}\n`);
  const logged = (): number =>
    readFileSync(join(runFolder(), 'events.jsonl'), 'utf8').split('"fault.started"').length - 1;
  const fail = (at: typeof failing): void => {
    if (failing === at) throw new Error(`no ${at} today`);
  };
  return {
    inspect: async ({ service, replicas }: ScaleFault) => {
      fail('inspect');
      return { description: `${service}: 1 to ${replicas} replicas`, replicas: [], before: { replicas: 1 } };
    },
    inject: async ({ id, replicas }: ScaleFault) => {
      order(`${id} ${replicas} logged ${logged()}`);
      fail('inject');
    },
    undo: async ({ id }, { before }) => {
      order(`${id} back to ${String(before.replicas)}`);
      return [];
    },
    waitForEffect: async ({ replicas }: ScaleFault, _subject, phase, signal) => {
      if (failing === 'witness' && phase === 'injected') {
        await once(signal, 'abort');
        return { settled: false, replicas: [] };
      }
      const count = phase === 'injected' ? replicas : 1;
      return {
        settled: true,
        replicas: Array.from({ length: count }, (_, index) => ({
          id: `mcp-server.${index + 1}`,
          node: 'n',
          url: `http://10.0.0.${index + 1}/mcp`,
          slot: index + 1,
          task: `task${index + 1}`,
        })),
      };
    },
  };
}
