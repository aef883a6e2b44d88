import { z } from 'zod';
import {
  clock,
  health,
  heartbeat,
  heartbeatAnswer,
  type Order,
  PROTOCOL,
  preflightResult,
  registered,
  registration,
  sessionsOpened,
} from '../../../client-sim/protocol/messages.js';
import { acknowledgement, telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { Controller } from '../../controller/controller.js';
import type { Worker } from '../../controller/workers/worker-registry.js';
import { type ApiEndpoint, frequentEndpoint, jsonEndpoint, withoutUndefined } from '../api-endpoint.js';
import { lastEventId, SseStream } from '../sse-stream.js';

const KIB = 1024;
const MIB = 1024 * KIB;

const workerSchema = z.object({
  workerId: z.string(),
  host: z.string(),
  slot: z.number().optional(),
  version: z.string(),
  threads: z.number(),
  capacity: z.object({
    clients: z.number(),
    ratePerSecond: z.number(),
    connections: z.number(),
    bound: z.string().optional(),
  }),
  state: z.enum(['idle', 'working', 'lost']),
  runId: z.string().optional(),
  saturated: z.boolean(),
  /** The worker's reason for being saturated. */
  saturatedBy: z.string().optional(),
  /** Whether its stream of orders is open. */
  connected: z.boolean(),
  lastHeartbeatAt: z.string(),
  clock: clock.optional(),
  health: health.optional(),
});

/** The controller's side of the worker protocol. */
export function workerEndpoints(controller: Controller): readonly ApiEndpoint[] {
  const { registry } = controller;
  return [
    jsonEndpoint({
      method: 'post',
      path: '/workers',
      access: 'worker',
      summary: 'Registers a worker. A worker whose call is answered with 404 registers again.',
      body: { schema: registration, limitBytes: 64 * KIB },
      answer: { status: 201, schema: registered },
      handle: ({ body, caller }) => registry.register(body, caller.runId),
    }),
    frequentEndpoint({
      method: 'post',
      path: '/workers/:id/heartbeat',
      access: 'own-worker',
      summary: 'Heartbeat: reports that the worker is alive, with its health.',
      body: { schema: heartbeat, limitBytes: 64 * KIB },
      answer: { status: 200, schema: heartbeatAnswer },
      handle: (call) => {
        registry.heartbeat(call.param('id'), call.body);
        return { protocol: PROTOCOL, now: controller.now() } as const;
      },
    }),
    {
      method: 'get',
      path: '/workers/:id/assignments',
      access: 'own-worker',
      summary: 'Streams the numbered orders for a worker; resumable by Last-Event-ID.',
      answer: { status: 200, contentType: 'text/event-stream' },
      handle: (call) => {
        const { orders } = registry.get(call.param('id'));
        const stream = new SseStream(call.response);
        const sink = {
          send: (id: number, order: Order) => stream.send(id, order.type, order),
          end: () => stream.end(),
        };
        stream.signal.addEventListener('abort', () => orders.disconnect(sink));
        orders.connect(sink, lastEventId(call.request.headers['last-event-id']));
      },
    },
    jsonEndpoint({
      method: 'post',
      path: '/workers/:id/preflight',
      access: 'own-worker',
      summary: 'Reports the result of a preflight of the target.',
      body: { schema: preflightResult, limitBytes: 4 * MIB },
      answer: { status: 202, schema: z.object({ protocol: z.literal(PROTOCOL) }) },
      handle: (call) => {
        registry.preflight(call.param('id'), call.body);
        return { protocol: PROTOCOL } as const;
      },
    }),
    frequentEndpoint({
      method: 'post',
      path: '/workers/:id/opened',
      access: 'own-worker',
      summary: 'Reports that the sessions which open before the load have been tried.',
      body: { schema: sessionsOpened, limitBytes: 64 * KIB },
      answer: { status: 202, schema: z.object({ protocol: z.literal(PROTOCOL) }) },
      handle: (call) => {
        registry.opened(call.param('id'), call.body);
        return { protocol: PROTOCOL } as const;
      },
    }),
    jsonEndpoint({
      method: 'post',
      path: '/workers/:id/telemetry',
      access: 'own-worker',
      summary: 'Delivers a batch of measurements. It is acknowledged when it is on the disk.',
      body: { schema: telemetry, limitBytes: 32 * MIB, kept: true },
      answer: { status: 200, schema: acknowledgement },
      handle: async (call) =>
        ({
          protocol: PROTOCOL,
          acknowledged: await registry.telemetry(call.param('id'), call.body, call.json),
        }) as const,
    }),
    jsonEndpoint({
      method: 'get',
      path: '/workers',
      access: 'viewer',
      summary: 'Lists all registered workers.',
      answer: { status: 200, schema: z.object({ workers: z.array(workerSchema) }) },
      handle: () => ({ workers: registry.all().map(workerView) }),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/workers/:id',
      access: 'viewer',
      summary: 'Shows a worker.',
      answer: { status: 200, schema: workerSchema },
      handle: (call) => workerView(registry.get(call.param('id'))),
    }),
  ];
}

function workerView(worker: Worker): z.infer<typeof workerSchema> {
  const { host, slot, version, threads, capacity } = worker.registration;
  const { saturatedBy, runListener } = worker;
  return withoutUndefined({
    workerId: worker.id,
    host,
    slot,
    version,
    threads,
    capacity,
    state: stateOf(worker),
    runId: runListener?.runId,
    saturated: saturatedBy !== undefined,
    saturatedBy,
    connected: worker.orders.connected,
    lastHeartbeatAt: new Date(worker.lastHeardAt).toISOString(),
    clock: worker.clock,
    health: worker.health,
  });
}

function stateOf({ lost, runListener }: Worker): z.infer<typeof workerSchema>['state'] {
  if (lost) return 'lost';
  return runListener === undefined ? 'idle' : 'working';
}
