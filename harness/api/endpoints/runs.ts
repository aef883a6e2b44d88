import { z } from 'zod';
import type { Controller } from '../../controller/controller.js';
import type { Run } from '../../controller/run/run.js';
import { ControllerError } from '../../log/errors.js';
import type { RunHistory } from '../../log/run-history.js';
import type { RunSummary } from '../../log/summary.js';
import { type ApiEndpoint, jsonEndpoint, withoutUndefined } from '../api-endpoint.js';
import { PlanThreads } from '../plan-threads.js';
import { isInline, runRequest } from '../run-request.js';

const KIB = 1024;

const verdictSchema = z.object({
  kind: z.enum(['passed', 'failed', 'invalid', 'incomplete']),
  reasons: z.array(z.string()).readonly(),
});

const stateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('created') }),
  z.object({ kind: z.literal('deploying') }),
  z.object({ kind: z.literal('preflight') }),
  z.object({ kind: z.literal('running'), startAt: z.number(), stage: z.number(), stageName: z.string() }),
  z.object({ kind: z.literal('draining') }),
  z.object({ kind: z.literal('analysing') }),
  z.object({
    kind: z.literal('stopping'),
    reason: z.enum(['user', 'interrupt', 'shutdown', 'threshold', 'stop-rule', 'worker-loss', 'error']),
    mode: z.enum(['drain', 'now']),
  }),
  z.object({ kind: z.literal('finished'), verdict: verdictSchema }),
]);

const runSchema = z.object({
  runId: z.string(),
  scenario: z.string(),
  seed: z.number(),
  command: z.string(),
  labels: z.record(z.string(), z.string()).readonly(),
  state: stateSchema,
  createdAt: z.string(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  workers: z.number(),
  failure: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  /** Place in the queue, from 1; only while the run is queued. */
  queuePosition: z.number().optional(),
});

const liveSchema = z.object({
  tMs: z.number(),
  stage: z.number(),
  stageName: z.string(),
  clients: z.number(),
  sessions: z.number(),
  offeredPerSecond: z.number(),
  sentPerSecond: z.number(),
  succeededPerSecond: z.number(),
  failedTotal: z.number(),
  errors: z.record(z.string(), z.number()).readonly(),
  p50Ms: z.number().optional(),
  p95Ms: z.number().optional(),
  p99Ms: z.number().optional(),
  remainingMs: z.number(),
});

const stopRequest = z.strictObject({
  mode: z.enum(['drain', 'now']).default('drain'),
  reason: z.enum(['user', 'interrupt']).default('user'),
  detail: z.string().max(500).default('requested over the API'),
});

const adjustRequest = z.strictObject({ load: z.number().min(0), profile: z.string().optional() });

const loadAdjustedSchema = z.object({
  adjustId: z.string(),
  stage: z.number(),
  atMs: z.number(),
  load: z.number(),
  profile: z.string().optional(),
});

interface RunEndpointsOptions {
  readonly controller: Controller;
  readonly history: RunHistory;
  /** Hosts outside private networks that runs may target. */
  readonly allowTargets: readonly string[];
}

export function runEndpoints({ controller, history, allowTargets }: RunEndpointsOptions): readonly ApiEndpoint[] {
  const runView = (summary: RunSummary): z.infer<typeof runSchema> => {
    const queuePosition = controller.queuePosition(summary.runId);
    // The run has its verdict, but its reports are still being written; a client that sees `finished` expects them.
    const reporting = summary.state.kind === 'finished' && controller.run(summary.runId) !== undefined;
    return withoutUndefined({
      ...summary,
      state: reporting ? { kind: 'analysing' as const } : summary.state,
      queuePosition,
    });
  };
  const plans = new PlanThreads();
  const liveRun = async (id: string): Promise<Run> => {
    const run = controller.run(id);
    if (run) return run;
    await summaryOf(controller, history, id);
    throw new ControllerError('RUN_NOT_LIVE', `run ${id} is over`, 'GET /runs/:id/artifacts lists its results.');
  };
  return [
    jsonEndpoint({
      method: 'post',
      path: '/runs',
      access: 'operator',
      summary: 'Starts a run, or queues it behind the runs before it.',
      body: { schema: runRequest, limitBytes: 512 * KIB },
      answer: { status: 201, schema: runSchema },
      handle: async ({ body, response }) => {
        const {
          scenario,
          labels,
          workers,
          registeredWorkers,
          command = `POST /runs ${isInline(scenario) ? '(inline scenario)' : scenario}`,
        } = body;
        const options = withoutUndefined({ labels, workers, registeredWorkers });
        const plan = await plans.make(body, allowTargets);
        const run = controller.submit(plan, { command, ...options });
        response.location(`/runs/${run.id}`);
        return runView(run.summary);
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/runs',
      access: 'viewer',
      summary: 'Lists all runs of the results folder, newest first.',
      answer: { status: 200, schema: z.object({ runs: z.array(runSchema) }) },
      handle: async () => ({ runs: (await history.list((id) => controller.run(id)?.summary)).map(runView) }),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/runs/:id',
      access: 'viewer',
      summary: 'Shows a run: its state and, at the end, its verdict.',
      answer: { status: 200, schema: runSchema },
      handle: async (call) => runView(await summaryOf(controller, history, call.param('id'))),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/runs/:id/live',
      access: 'viewer',
      summary: 'Shows the last second of an active run.',
      answer: { status: 200, schema: liveSchema },
      handle: async (call) => {
        const live = (await liveRun(call.param('id'))).live();
        if (live === undefined)
          throw new ControllerError(
            'RUN_NOT_LIVE',
            `the load of run ${call.param('id')} has not begun`,
            'Try again when its state is running.',
          );
        return withoutUndefined(live);
      },
    }),
    jsonEndpoint({
      method: 'post',
      path: '/runs/:id/stop',
      access: 'operator',
      summary: 'Stops a run early. `drain` waits for answers, `now` cuts the load.',
      body: { schema: stopRequest, limitBytes: 16 * KIB },
      answer: { status: 202, schema: runSchema },
      handle: async (call) => {
        const run = await liveRun(call.param('id'));
        run.stop(call.body.reason, call.body.mode, call.body.detail);
        return runView(run.summary);
      },
    }),
    jsonEndpoint({
      method: 'post',
      path: '/runs/:id/adjust',
      access: 'operator',
      summary: 'Changes the load of the running stage. 1 is 100 % of the plan.',
      body: { schema: adjustRequest, limitBytes: 16 * KIB },
      answer: { status: 202, schema: loadAdjustedSchema },
      handle: async (call) => {
        const run = await liveRun(call.param('id'));
        const { adjustId, stage, atMs, load, profile } = run.adjust(withoutUndefined(call.body));
        return withoutUndefined({ adjustId, stage, atMs, load, profile });
      },
    }),
  ];
}

/** @throws ControllerError RUN_NOT_FOUND */
export async function summaryOf(controller: Controller, history: RunHistory, id: string): Promise<RunSummary> {
  const summary = controller.run(id)?.summary ?? (await history.get(id));
  if (summary === undefined)
    throw new ControllerError('RUN_NOT_FOUND', `there is no run ${id}`, 'GET /runs lists the runs.');
  return summary;
}
