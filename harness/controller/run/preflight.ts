import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint, PreflightResult } from '../../../client-sim/protocol/messages.js';
import { ControllerError } from '../errors.js';
import type { Worker } from '../workers/registry.js';
import type { RunCore } from './core.js';
import { preflightOrder, type RunStart } from './orders.js';
import { shownUrl } from './shown-url.js';

const LOOK_MS = 20;

/**
 * One real session against the target, made by one worker before anyone makes load: what it finds out about the
 * protocol is pinned for the run.
 * @throws ControllerError PREFLIGHT_FAILED with what was asked and what came; PREFLIGHT_TIMEOUT; WORKERS_MISSING when its
 * worker is lost
 */
export async function preflight(core: RunCore, worker: Worker, endpoints: readonly Endpoint[], workerLogs: string): Promise<Pick<RunStart, 'pinned' | 'argumentsMade'>> {
  core.record({ type: 'preflight.started' });
  const result = await answer(core, worker, endpoints, workerLogs);
  const { exchanges, serverInfo, pinned, argumentsMade = [] } = result;
  if (result.ok && pinned !== undefined) {
    core.record({ type: 'preflight.passed', pinned, serverInfo, exchanges, ...(argumentsMade.length === 0 ? {} : { argumentsMade }) });
    return { pinned, argumentsMade };
  }
  const problem = result.problem ?? 'the worker gave no reason';
  core.record({ type: 'preflight.failed', problem, exchanges });
  throw new ControllerError('PREFLIGHT_FAILED', shown(problem, result, endpoints), 'Is the target up, is the URL right, does it need a header (--header)?');
}

async function answer(core: RunCore, worker: Worker, endpoints: readonly Endpoint[], workerLogs: string): Promise<PreflightResult> {
  const { signal } = core.stopping;
  const { preflightMs } = core.shared.timings;
  const giveUpAt = performance.now() + preflightMs;
  const hint = `Look at the log of the worker (${workerLogs}).`;
  const box: { result?: PreflightResult } = {};
  core.preflightAnswer = (result) => void (box.result = result);
  const order = preflightOrder(core.id, core.plan, endpoints);
  worker.orders.give(order);
  try {
    while (box.result === undefined) {
      signal.throwIfAborted();
      if (worker.lost) throw new ControllerError('WORKERS_MISSING', `worker ${worker.id} was lost during its preflight of ${names(endpoints)}`, hint);
      if (performance.now() > giveUpAt) {
        throw new ControllerError('PREFLIGHT_TIMEOUT', `worker ${worker.id} did not report on its preflight of ${names(endpoints)} within ${preflightMs / 1000} s`, hint);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    return box.result;
  } finally {
    core.preflightAnswer = undefined;
    worker.orders.withdraw(order);
  }
}

function shown(problem: string, result: PreflightResult, endpoints: readonly Endpoint[]): string {
  const broken = result.exchanges.findLast((exchange) => !exchange.ok);
  const exchange = broken === undefined ? '' : `\n  ${broken.step} asked:\n${indent(broken.request)}\n  and got:\n${indent(broken.response)}`;
  return `${names(endpoints)}: ${problem}${exchange}`;
}

function indent(text: string): string {
  return text.split('\n').map((line) => `    ${line}`).join('\n');
}

function names(endpoints: readonly Endpoint[]): string {
  return endpoints.map(({ url }) => shownUrl(url)).join(', ');
}
