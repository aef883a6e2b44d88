import { z } from 'zod';
import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import { abortKinds, type MisbehavePlan, malformedKinds } from '../../scenarios/schema/misbehave.js';
import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import { transportNames } from '../../scenarios/schema/transports.js';

const count = z.number().int().min(0);
const positive = z.number().int().positive();
const ms = z.number().min(0);

const placeholder: z.ZodType<Placeholder> = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('text'), length: count }),
  z.strictObject({ name: z.literal('int'), min: z.number().int(), max: z.number().int() }),
  z.strictObject({ name: z.literal('pick'), items: z.array(z.string()) }),
  z.strictObject({ name: z.literal('uuid') }),
  z.strictObject({ name: z.literal('client'), modulo: positive.exactOptional() }),
  z.strictObject({ name: z.literal('seq') }),
  z.strictObject({ name: z.literal('now') }),
  z.strictObject({ name: z.literal('stamp') }),
]);

export const template: z.ZodType<Template> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('constant'), json: z.string() }),
    z.strictObject({ kind: z.literal('object'), entries: z.array(z.tuple([z.string(), template])) }),
    z.strictObject({ kind: z.literal('array'), items: z.array(template) }),
    z.strictObject({ kind: z.literal('number'), draw: placeholder }),
    z.strictObject({ kind: z.literal('string'), parts: z.array(z.union([z.string(), placeholder])) }),
  ]),
);

export const headerPlans = z.array(z.strictObject({ name: z.string(), path: z.array(z.string()) }));

const session = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('reuse') }),
  z.strictObject({ mode: z.literal('pool'), size: positive }),
  z.strictObject({ mode: z.literal('per-request') }),
  z.strictObject({
    mode: z.literal('churn'),
    every: z.union([z.strictObject({ operations: positive }), z.strictObject({ ms: z.number().positive() })]),
  }),
]);

const thinkTime = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('fixed'), ms }),
  z.strictObject({ kind: z.literal('uniform'), minMs: ms, maxMs: ms }),
  z.strictObject({ kind: z.literal('exponential'), meanMs: ms }),
]);

const arrivals = z.discriminatedUnion('model', [
  z.strictObject({
    model: z.literal('open'),
    ratePerSecond: z.number().positive(),
    spacing: z.enum(['uniform', 'poisson']),
  }),
  z.strictObject({ model: z.literal('closed'), thinkTime }),
  z.strictObject({ model: z.literal('none') }),
]);

const operation = z.strictObject({
  name: z.string().min(1),
  method: z.enum([
    'tools/call',
    'resources/read',
    'prompts/get',
    'ping',
    'tools/list',
    'resources/list',
    'prompts/list',
    'resources/subscribe',
  ]),
  params: template,
  target: z.string().exactOptional(),
  weight: z.number().min(0),
  stamped: z.literal(true).exactOptional(),
  autoArguments: z.literal(true).exactOptional(),
  everyTool: z.literal(true).exactOptional(),
  paramHeaders: headerPlans.exactOptional(),
  validate: z.enum(['all', 'none']).exactOptional(),
  outputSchema: z.string().exactOptional(),
  expect: z
    .strictObject({
      contains: z.array(z.union([z.string(), template])),
      equals: z.array(
        z.strictObject({
          text: z.string(),
          path: z.array(z.union([z.string(), z.number().int()])),
          json: z.string(),
          template: template.exactOptional(),
        }),
      ),
      minBytes: count.exactOptional(),
      maxBytes: count.exactOptional(),
    })
    .exactOptional(),
});

const misbehave: z.ZodType<MisbehavePlan> = z.strictObject({
  readBytesPerSecond: z.number().positive().exactOptional(),
  writeBytesPerSecond: z.number().positive().exactOptional(),
  abort: z
    .strictObject({
      share: z.number().positive().max(1),
      kinds: z.array(z.enum(abortKinds)).min(1),
      how: z.enum(['close', 'reset']),
    })
    .exactOptional(),
  malformed: z
    .strictObject({
      share: z.number().positive().max(1),
      kinds: z.array(z.enum(malformedKinds)).min(1),
      oversizeBytes: z.number().positive(),
    })
    .exactOptional(),
  idleMs: z.number().positive().exactOptional(),
  reconnect: z
    .strictObject({ everyMs: z.number().positive(), together: z.boolean(), session: z.enum(['keep', 'new']) })
    .exactOptional(),
});

const profile = z.strictObject({
  name: z.string().min(1),
  arm: z.string().exactOptional(),
  description: z.string(),
  clients: positive,
  firstSlot: count,
  transport: z.enum(transportNames),
  sticky: z.enum(['none', 'session', 'cookie', 'source']).exactOptional(),
  era: z.enum(['auto', 'legacy', 'modern']).exactOptional(),
  session,
  arrivals,
  maxInFlight: positive,
  connections: positive,
  pipeline: positive,
  pacing: z.enum(['auto', 'batch', 'metronome', 'spin']),
  timeoutMs: z.number().positive(),
  onClose: z.enum(['delete', 'abandon', 'reset']),
  operations: z.array(operation).min(1),
  misbehave,
  stream: z.strictObject({ away: z.array(z.string()), resume: z.boolean() }).exactOptional(),
});

const stage = z.strictObject({
  index: count,
  name: z.string().min(1),
  trial: positive,
  arm: z.string().exactOptional(),
  block: positive.exactOptional(),
  startMs: ms,
  durationMs: ms,
  measured: z.boolean(),
  scale: z.enum(['clients', 'rate']),
  profiles: z.array(z.string()).exactOptional(),
  segments: z.array(z.strictObject({ startMs: ms, endMs: ms, from: z.number().min(0), to: z.number().min(0) })).min(1),
});

/** The plan as it is sent to workers. */
export const workerPlan: z.ZodType<WorkerPlan> = z.strictObject({
  scenario: z.string(),
  seed: z.number(),
  profiles: z.array(profile).min(1),
  stages: z.array(stage).min(1),
  drainMs: ms,
  limits: z.strictObject({
    clients: count,
    ratePerSecond: z.number().min(0),
    durationMs: ms,
    bytes: z.number().min(0),
    answerBytes: z.number().min(0),
  }),
  preflight: z.strictObject({ calls: z.enum(['require', 'warn', 'skip']), timeoutMs: z.number().positive() }),
  binned: z.array(z.strictObject({ fromMs: ms, toMs: ms })).exactOptional(),
});
