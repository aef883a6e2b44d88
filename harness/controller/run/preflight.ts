import { setTimeout as sleep } from 'node:timers/promises';
import type { PinnedProtocol, PreflightResult } from '../../../client-sim/protocol/messages.js';
import type { SettledOperation } from '../../../client-sim/protocol/settled-operation.js';
import { type Plan, targetsOf } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { ControllerError } from '../../log/errors.js';
import type { Worker } from '../workers/worker-registry.js';
import type { ActiveRun } from './active-run.js';
import { preflightOrder } from './orders.js';
import type { PlannedRoute } from './routes.js';

const POLL_MS = 20;

interface PreflightFindings {
  /** One for each route, in order. */
  readonly pinned: readonly PinnedProtocol[];
  readonly settledOperations: readonly SettledOperation[];
}

/**
 * Before any load, one worker has one real session with the target. The protocol that it finds for each route is pinned
 * for the whole run.
 * @throws ControllerError PREFLIGHT_FAILED with the request and the answer that failed; PREFLIGHT_TIMEOUT;
 * WORKERS_MISSING when its worker is lost
 */
export async function preflight(
  run: ActiveRun,
  worker: Worker,
  routes: readonly PlannedRoute[],
  workerLogs: string,
): Promise<PreflightFindings> {
  const targets = urlsOf(routes);
  run.record({ type: 'preflight.started' });
  const result = await askWorker(run, worker, routes, { targets, workerLogs });
  const { exchanges, serverInfo, pinned, settledOperations = [], warnings = [] } = result;
  if (!result.ok || pinned === undefined) {
    const problem = result.problem ?? 'the worker gave no reason';
    run.record({ type: 'preflight.failed', problem, exchanges });
    throw new ControllerError('PREFLIGHT_FAILED', `${targets}: ${problem}${failedExchange(result)}`);
  }
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
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(named.length > 1 ? { routes: named } : {}),
  });
  return { pinned: settled, settledOperations };
}

interface AskContext {
  /** For error messages. */
  readonly targets: string;
  readonly workerLogs: string;
}

async function askWorker(
  run: ActiveRun,
  worker: Worker,
  routes: readonly PlannedRoute[],
  { targets, workerLogs }: AskContext,
): Promise<PreflightResult> {
  const { stopping: signal } = run;
  const preflightMs = run.context.timings.preflightMs + extraMs(run.plan);
  const giveUpAt = performance.now() + preflightMs;
  const hint = `Look at the log of the worker (${workerLogs}).`;
  const arrived = run.awaitPreflight();
  const order = preflightOrder(run.id, run.plan, routes);
  worker.orders.give(order);
  try {
    for (;;) {
      const pause = sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      const result = await Promise.race([arrived, pause]);
      if (result !== undefined) return result;
      signal.throwIfAborted();
      if (worker.lost)
        throw new ControllerError(
          'WORKERS_MISSING',
          `worker ${worker.id} was lost during its preflight of ${targets}`,
          hint,
        );
      if (performance.now() > giveUpAt)
        throw new ControllerError(
          'PREFLIGHT_TIMEOUT',
          `worker ${worker.id} did not report on its preflight of ${targets} within ${preflightMs / 1000} s`,
          hint,
        );
    }
  } finally {
    worker.orders.withdraw(order);
  }
}

/** How long a single request of a preflight may take within the controller's own limit. */
const USUAL_REQUEST_MS = 10_000;

/** What the requests of the plan's preflight may take beyond that: slow tools, and commands that start slowly. */
function extraMs(plan: Plan): number {
  const { preflight, profiles } = plan;
  const calls = profiles.flatMap(({ operations, timeoutMs }) => operations.map(() => timeoutMs));
  const targets = targetsOf(plan);
  const handshake = targets.flatMap(() => [preflight.timeoutMs, preflight.timeoutMs, preflight.timeoutMs]);
  const starts = targets.flatMap((target) =>
    target.kind === 'command' ? [target.server.startTimeoutMs, target.server.startTimeoutMs] : [],
  );
  const requests: readonly number[] = [...handshake, ...calls, ...starts].flatMap((ms) => ms ?? []);
  return requests.reduce((sum, ms) => sum + Math.max(0, ms - USUAL_REQUEST_MS), 0);
}

/** The URLs that the preflight asks, as they may be shown. */
function urlsOf(routes: readonly PlannedRoute[]): string {
  const urls = routes.flatMap(({ preflightEndpoints }) => preflightEndpoints.map(({ url }) => shownUrl(url)));
  return [...new Set(urls)].join(', ');
}

function failedExchange({ exchanges }: PreflightResult): string {
  const failed = exchanges.findLast((exchange) => !exchange.ok);
  if (failed === undefined) return '';
  return `\n  ${failed.step} asked:\n${indent(failed.request)}\n  and got:\n${indent(failed.response)}`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
