import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint, PinnedProtocol, PreflightResult } from '../../../client-sim/protocol/messages.js';
import type { SettledOperation } from '../../../client-sim/protocol/settled-operation.js';
import { ControllerError } from '../../log/errors.js';
import type { Worker } from '../workers/worker-registry.js';
import type { RunCore } from './active-run.js';
import { preflightOrder } from './orders.js';
import { type PlannedRoute, shownUrl } from './routes.js';

const LOOK_MS = 20;

/** What all assignments of the run are made with. */
interface PreflightFindings {
  /** Of each route, in order. */
  readonly pinned: readonly PinnedProtocol[];
  readonly settledOperations: readonly SettledOperation[];
}

/**
 * One real session against the target, made by one worker before anyone makes load: what it finds out about the
 * protocol of each route is pinned for the run, in the order of the routes.
 * @throws ControllerError PREFLIGHT_FAILED with what was asked and what came; PREFLIGHT_TIMEOUT; WORKERS_MISSING when
 * its worker is lost
 */
export async function preflight(
  run: RunCore,
  worker: Worker,
  routes: readonly PlannedRoute[],
  workerLogs: string,
): Promise<PreflightFindings> {
  const endpoints = endpointsOf(routes);
  run.record({ type: 'preflight.started' });
  const result = await answer(run, worker, routes, workerLogs);
  const { exchanges, serverInfo, pinned, settledOperations = [] } = result;
  if (result.ok && pinned !== undefined) {
    const settled = result.routes ?? [pinned];
    if (settled.length !== routes.length)
      throw new ControllerError(
        'PREFLIGHT_FAILED',
        `worker ${worker.id} settled ${settled.length} of ${routes.length} routes to the target`,
        'Are controller and worker of the same version?',
      );
    const named = settled.map((each, index) => ({
      profiles: (routes[index]?.profiles ?? []).flatMap((profile) => run.plan.profiles[profile]?.name ?? []),
      pinned: each,
    }));
    run.record({
      type: 'preflight.passed',
      pinned,
      serverInfo,
      exchanges,
      ...(settledOperations.length === 0 ? {} : { settledOperations }),
      ...(named.length > 1 ? { routes: named } : {}),
    });
    return { pinned: settled, settledOperations };
  }
  const problem = result.problem ?? 'the worker gave no reason';
  run.record({ type: 'preflight.failed', problem, exchanges });
  throw new ControllerError(
    'PREFLIGHT_FAILED',
    shown(problem, result, endpoints),
    'Is the target up, is the URL right, does it need a header (--header)?',
  );
}

async function answer(
  run: RunCore,
  worker: Worker,
  routes: readonly PlannedRoute[],
  workerLogs: string,
): Promise<PreflightResult> {
  const endpoints = endpointsOf(routes);
  const { signal } = run.stopping;
  const { preflightMs } = run.shared.timings;
  const giveUpAt = performance.now() + preflightMs;
  const hint = `Look at the log of the worker (${workerLogs}).`;
  const box: { result?: PreflightResult } = {};
  run.preflightAnswer = (result) => void (box.result = result);
  const order = preflightOrder(run.id, run.plan, routes);
  worker.orders.give(order);
  try {
    while (box.result === undefined) {
      signal.throwIfAborted();
      if (worker.lost)
        throw new ControllerError(
          'WORKERS_MISSING',
          `worker ${worker.id} was lost during its preflight of ${names(endpoints)}`,
          hint,
        );
      if (performance.now() > giveUpAt) {
        throw new ControllerError(
          'PREFLIGHT_TIMEOUT',
          `worker ${worker.id} did not report on its preflight of ${names(endpoints)} within ${preflightMs / 1000} s`,
          hint,
        );
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    return box.result;
  } finally {
    run.preflightAnswer = undefined;
    worker.orders.withdraw(order);
  }
}

function endpointsOf(routes: readonly PlannedRoute[]): readonly Endpoint[] {
  return routes.flatMap(({ preflightEndpoints }) => preflightEndpoints);
}

function shown(problem: string, result: PreflightResult, endpoints: readonly Endpoint[]): string {
  const broken = result.exchanges.findLast((exchange) => !exchange.ok);
  const exchange =
    broken === undefined
      ? ''
      : `\n  ${broken.step} asked:\n${indent(broken.request)}\n  and got:\n${indent(broken.response)}`;
  return `${names(endpoints)}: ${problem}${exchange}`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

function names(endpoints: readonly Endpoint[]): string {
  return [...new Set(endpoints.map(({ url }) => shownUrl(url)))].join(', ');
}
