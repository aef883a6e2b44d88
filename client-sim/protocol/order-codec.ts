import { z } from 'zod';
import { transportNames } from '../../scenarios/schema/transports.js';
import { type Endpoint, type Order, PROTOCOL, pinnedProtocol } from './messages.js';
import { workerPlan } from './plan-codec.js';

const count = z.number().int().min(0);
const common = { protocol: z.literal(PROTOCOL), runId: z.string().min(1) };
const tls = z.strictObject({
  ca: z.string().exactOptional(),
  cert: z.string().exactOptional(),
  key: z.string().exactOptional(),
  insecure: z.boolean(),
});
/** Also parses the endpoints that a controller saved for one that adopts its run. */
export const endpointCodec: z.ZodType<Endpoint> = z.strictObject({
  url: z.url(),
  headers: z.record(z.string(), z.string()),
  transport: z.enum(transportNames).exactOptional(),
  replica: z.string().exactOptional(),
  cookies: z.boolean().exactOptional(),
  server: z
    .strictObject({
      command: z.array(z.string()).min(1),
      env: z.record(z.string(), z.string()),
      inherited: z.record(z.string(), z.string()),
      cwd: z.string().exactOptional(),
      writtenCommand: z.array(z.string()).exactOptional(),
      startTimeoutMs: z.number().positive().exactOptional(),
    })
    .exactOptional(),
  tls: tls.exactOptional(),
  tokens: z.array(z.string()).min(1).exactOptional(),
  sources: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .min(1)
    .exactOptional(),
});
const era = z.enum(['auto', 'legacy', 'modern']);
const profiles = z.array(count).min(1);
const endpoints = z.array(endpointCodec).min(1);
const slots = z.strictObject({ profile: count, start: count, step: z.number().int().positive(), count });

const order: z.ZodType<Order> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('preflight'),
    ...common,
    plan: workerPlan,
    endpoints,
    era,
    routes: z.array(z.strictObject({ profiles, endpoints, era })).exactOptional(),
  }),
  z.strictObject({
    type: z.literal('assignment'),
    ...common,
    workerId: z.string(),
    assignmentId: z.string(),
    plan: workerPlan,
    endpoints,
    pinned: pinnedProtocol,
    routes: z.array(z.strictObject({ profiles, endpoints, pinned: pinnedProtocol })).exactOptional(),
    slots: z.array(slots),
    startAt: z.number(),
    joinMs: z.number().min(0),
    ids: z.strictObject({ first: count, last: count }).exactOptional(),
    openFirst: z.literal(true).exactOptional(),
  }),
  z.strictObject({ type: z.literal('begin'), ...common, startAt: z.number() }),
  z.strictObject({
    type: z.literal('adjust'),
    ...common,
    adjustId: z.string(),
    atMs: z.number().min(0),
    stage: count,
    load: z.number().min(0),
    profile: z.string().exactOptional(),
  }),
  z.strictObject({ type: z.literal('stop'), ...common, mode: z.enum(['drain', 'now']) }),
]);

/** @throws OrderError for anything that is not an order of this protocol version */
export function parseOrder(json: string): Order {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new OrderError(`an order is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = order.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'order'}: ${issue.message}`);
  throw new OrderError(
    `an order does not follow protocol ${PROTOCOL}: ${problems.join('; ')}. ` +
      'Controller and worker must be of the same version.',
  );
}

class OrderError extends Error {
  readonly code = 'WORKER_ORDER_INVALID';
  override readonly name = 'OrderError';
}
