import { z } from 'zod';
import { abortKinds, malformedKinds } from '../misbehave.js';
import { transportNames } from '../transports.js';
import { duration, name, percentage, positiveDuration, rate, size, sizeRate, text, wholeNumber } from './fields.js';

/** `misbehave` of a profile, as written. */

const abort = z.union([
  percentage,
  z.strictObject({
    share: percentage.describe("Of operations; the profile's others are as they should be."),
    kinds: z
      .array(z.enum(abortKinds))
      .min(1, { error: 'at least one kind' })
      .optional()
      .describe(
        "Where they are left, equally likely. mid-handshake: within the request that would open the connection's session; mid-request: when half of the request is sent; after-request: when it is sent; mid-answer: after the first bytes of the answer. Default: all that the transport has.",
      ),
    how: z
      .enum(['close', 'reset'])
      .prefault('close')
      .describe(
        'close: as a program does that ends (FIN, or RST where bytes of the answer were not read); reset: always with RST, as one that crashes.',
      ),
  }),
]);

const malformed = z.union([
  percentage,
  z.strictObject({
    share: percentage.describe("Of operations; the profile's others are as they should be."),
    kinds: z
      .array(z.enum(malformedKinds))
      .min(1, { error: 'at least one kind' })
      .optional()
      .describe(
        'Which ways to break a request, equally likely. broken-json: half a message in whole framing; wrong-framing: a chunk without a size (HTTP), a continuation of nothing (WebSocket), a message over two lines; unknown-method: one that nobody has; duplicate-id: the same request twice at once; oversize: a correct request that is far too long; not-utf8: a text with bytes that are no UTF-8; of WebSocket frames unmasked, reserved-bits, bad-opcode, huge-length. Default: all that the transport has.',
      ),
    oversize: size.prefault('8 MiB').describe('Length of the body of an oversize request.'),
  }),
]);

const reconnect = z.strictObject({
  every: positiveDuration.describe('Run time between two losses.'),
  together: z
    .boolean()
    .prefault(true)
    .describe(
      'true: all clients of the profile lose their connections at the same moment; false: each at its own, evenly spread.',
    ),
  session: z
    .enum(['keep', 'new'])
    .optional()
    .describe(
      'keep: they come back with new connections in the same session, which only streamable-http can; new: the session is left behind without a word and another one opened. Default: keep where the transport can.',
    ),
});

const misbehaveSchema = z.strictObject({
  readRate: sizeRate.optional().describe('A true slow reader: each socket is drained no faster than this.'),
  writeRate: sizeRate
    .optional()
    .describe('A slow writer: the bytes of its requests leave each socket no faster than this, handshake included.'),
  abort: abort
    .optional()
    .describe(
      'Share of operations, drawn from the seed, whose connection is closed before the answer is whole: `1%`, or a map. Each has a connection of its own, so that no other operation suffers.',
    ),
  malformed: malformed
    .optional()
    .describe(
      'Share of operations, drawn from the seed, that are broken on purpose, each on a connection of its own: `1%`, or a map. What the server answers to each kind is in the report.',
    ),
  idle: positiveDuration
    .optional()
    .describe(
      'Initialise, then nothing for this long; then one operation finds out whether the session lives, and so on. Takes the place of `arrivals` and `thinkTime`.',
    ),
  reconnect: reconnect.optional().describe('All clients lose their connections and come back at once: a storm.'),
});

export type MisbehaveSource = z.infer<typeof misbehaveSchema>;

/**
 * A client profile, as written. What each key means stands in its description, which the JSON Schema and the README
 * carry.
 */

/** Of a target, or of the profiles that want another. */
export const stickiness = z.enum(['none', 'session', 'cookie', 'source']);
export const eras = z.enum(['auto', 'legacy', 'modern']);

const sessionModes = ['reuse', 'pool', 'per-request', 'churn'] as const;

const session = z.union([
  z.enum(sessionModes),
  z.strictObject({
    mode: z
      .enum(sessionModes)
      .describe(
        'reuse: one session for the whole run; pool: several clients share one; per-request: a session for every operation; churn: a new one every so often.',
      ),
    size: wholeNumber(1, 1_000_000)
      .optional()
      .describe('Sessions in the pool (mode pool); client k uses session k modulo size.'),
    every: z
      .string()
      .regex(/^(?:\d+ operations?|\d.*[a-zµ])$/, {
        error: (issue) =>
          `\`${String(issue.input)}\` is neither a number of operations nor a duration, such as "100 operations" or 30s`,
      })
      .optional()
      .describe('When a session ends and the next begins (mode churn): `100 operations` or a duration.'),
  }),
]);

const ratePerClient = rate.describe('Operations a second of each client at 100 % load.');
const spacingMeaning = 'uniform: evenly spaced, clients staggered; poisson: random gaps from the seed.';
const spacing = z.enum(['uniform', 'poisson']).describe(spacingMeaning);

const arrivals = z.strictObject({ rate: ratePerClient, spacing: spacing.prefault('uniform').describe(spacingMeaning) });

const thinkTime = z.union([
  duration,
  z.strictObject({
    min: duration.optional().describe('Shortest pause; with `max`, uniform between the two.'),
    max: duration.optional().describe('Longest pause.'),
    mean: positiveDuration.optional().describe('Mean pause, with `distribution`.'),
    distribution: z
      .enum(['exponential'])
      .optional()
      .describe('exponential: pauses of a Poisson process with that mean.'),
  }),
]);

const listKinds = ['tools', 'resources', 'prompts'] as const;

const expectation = z.strictObject({
  contains: z
    .union([text, z.array(text).min(1)])
    .optional()
    .describe('Text, or several, that must occur in some text of the result.'),
  equals: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'Values by JSON path into the result: { "$.structuredContent.count": 3 }. Paths that name one place: .name, [\'name\'], [0], [-1].',
    ),
  size: z
    .strictObject({
      min: size.optional().describe('At least so many bytes.'),
      max: size.optional().describe('At most so many bytes.'),
    })
    .optional()
    .describe('Length of the JSON-RPC answer.'),
});

const operation = z.strictObject({
  name: text
    .optional()
    .describe(
      'What reports and thresholds call it; default: the tool, uri, prompt or method. Unique within the profile.',
    ),
  tool: text.optional().describe('tools/call of this tool.'),
  resource: text.optional().describe('resources/read of this uri. May hold templates when `target.era` is legacy.'),
  prompt: text.optional().describe('prompts/get of this prompt.'),
  ping: z
    .literal(true, { error: 'write `ping: true`' })
    .optional()
    .describe('ping. Does not exist in the stateless era (2026-07-28), so it is refused when `target.era` is modern.'),
  list: z.enum(listKinds).optional().describe('tools/list, resources/list or prompts/list (first page).'),
  subscribe: text
    .optional()
    .describe(
      'Subscribes to this uri as each session opens, beside the mix, and listens on a stream: resources/subscribe and the GET stream in the session era, subscriptions/listen in the stateless one. Over transports other than streamable-http what the server says comes on the link of the session. May hold `{{ client }}`.',
    ),
  progress: z
    .literal(true, { error: 'write `progress: true`' })
    .optional()
    .describe('Sends a progress token with the call; progress notifications are counted.'),
  arguments: z
    .union([z.enum(['auto'], { error: 'expected a map of arguments' }), z.record(z.string(), z.unknown())])
    .optional()
    .describe(
      'Arguments of the tool or prompt; text in it may hold templates. `auto`: made up from what the server says of it in its list, before the load begins; what cannot be right for certain is refused.',
    ),
  expect: expectation
    .optional()
    .describe(
      'What a correct answer holds beyond the rules of MCP; one that does not has failed with `expectation`. Such answers are all parsed.',
    ),
  weight: z
    .number()
    .positive({ error: 'must be more than 0' })
    .max(1_000_000)
    .prefault(1)
    .describe('How often it is chosen, in proportion to the other operations. A subscription has none.'),
});

const stream = z.strictObject({
  open: z
    .boolean()
    .optional()
    .describe(
      'true: keeps a stream open without any subscription (session era). Default: only where there is a subscription.',
    ),
  away: z
    .array(name)
    .optional()
    .describe(
      'Names of stages in which clients close their streams, their sessions and subscriptions kept, and open them again after: consumers that are away and come back. Over transports other than streamable-http they unsubscribe, and miss what is published meanwhile.',
    ),
  resume: z
    .boolean()
    .optional()
    .describe(
      'Whether a stream opened again asks for what it missed (Last-Event-ID, session era); default true. Over transports other than streamable-http nothing can be resumed.',
    ),
});

export const profileSchema = z.strictObject({
  name: name.describe('Name of the profile; the same as its file.'),
  description: z.string().optional().describe('What this kind of client does.'),
  clients: wholeNumber(1, 1_000_000).describe('Virtual clients at 100 % load.'),
  transport: z
    .enum(transportNames)
    .prefault('streamable-http')
    .describe(
      `How clients reach the server: ${transportNames.join(', ')}. Over websocket (a message a text frame) and tcp (a message a line) the session is the connection. Over sse (HTTP+SSE, 2024-11-05) answers come on one stream of a session and each message is a POST; over stdio a session is a process that it starts (target.server.command). sdk is the official SDK's client over Streamable HTTP: what a program that uses it would see, at its cost.`,
    ),
  gateway: z
    .strictObject({
      sticky: stickiness.describe(
        'What keeps these clients at their replicas; on a Swarm the gateway has a listener for each.',
      ),
    })
    .optional()
    .describe(
      'How these clients go through the gateway, where that differs from `target.gateway`: several can be compared in one run.',
    ),
  era: eras
    .optional()
    .describe('Era of these clients, where it differs from `target.era`; preflight settles it for them alone.'),
  session: session
    .prefault('reuse')
    .describe(
      'How long a client keeps its MCP session: reuse, per-request, { mode: pool, size: 10 } or { mode: churn, every: 100 operations }.',
    ),
  arrivals: arrivals
    .optional()
    .describe('Open loop: operations are due at fixed times, whatever the target does. This or `thinkTime`.'),
  thinkTime: thinkTime
    .optional()
    .describe(
      'Closed loop: the pause between an answer and the next operation: 100ms, { min: 50ms, max: 150ms } or { mean: 100ms, distribution: exponential }; 0ms for none. This or `arrivals`.',
    ),
  maxInFlight: wholeNumber(1, 100_000)
    .optional()
    .describe(
      'Most operations of one client on the wire at once; what is due beyond it waits, timed from when it was due. In a closed loop: independent loops of one client; with session per-request: sessions at once. Default: closed loop 1, open loop connections x pipeline.',
    ),
  connections: wholeNumber(1, 10_000)
    .optional()
    .describe(
      'TCP connections of one client; always 1 over websocket and tcp; over sdk how many requests are in flight, each on a connection of its own. Default: maxInFlight / pipeline where maxInFlight is given; else 8 in an open loop, 1 in a closed loop.',
    ),
  pipeline: wholeNumber(1, 1_000)
    .prefault(1)
    .describe(
      'Requests in flight on one connection: HTTP/1.1 pipelining, with answers in order (sdk has none); over websocket and tcp any order, and as deep as maxInFlight (open loop: 8) by default. More than 1 is stated in the report.',
    ),
  pacing: z
    .enum(['batch', 'metronome', 'spin'])
    .prefault('batch')
    .describe('How exactly due times are kept: batch (1 ms), metronome (0.1 ms, dearer), spin (a core of its own).'),
  timeout: positiveDuration
    .prefault('5s')
    .describe('An operation without an answer this long after it was sent has failed.'),
  onClose: z
    .enum(['delete', 'abandon', 'reset'])
    .prefault('delete')
    .describe(
      'How a session ends: with a goodbye (DELETE; over sse there is none; over stdio the end of its input, then SIGTERM, then SIGKILL; over websocket a close frame, over tcp the end of our side, and then of theirs), by closing its sockets, or by resetting them.',
    ),
  stream: stream
    .optional()
    .describe(
      'The stream on which clients hear what the server has to say by itself. Profiles that subscribe have one.',
    ),
  operations: z
    .array(operation)
    .min(1, { error: 'at least one operation' })
    .describe('What a client calls: a mix by weight.'),
  misbehave: misbehaveSchema
    .optional()
    .describe('Bad behaviour on purpose; counted on its own, never as the errors of the target.'),
});

/**
 * A workload entry: any profile key but the name, over a profile. All optional and without defaults: the profile has
 * them.
 */
export const overrideSchema = z.strictObject({
  ...Object.fromEntries(
    Object.entries(profileSchema.shape)
      .filter(([key]) => key !== 'name')
      .map(([key, schema]) => [key, asOverride(schema)]),
  ),
  arrivals: z
    .strictObject({ rate: ratePerClient.optional(), spacing: spacing.optional() })
    .optional()
    .describe('Open loop; what is left out stays as the profile has it. Takes the place of `thinkTime`.'),
  profile: name.optional().describe('The profile this workload starts from; default: the profile of the same name.'),
});

function asOverride(schema: z.ZodType): z.ZodType {
  const bare = schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema;
  return bare.optional().describe(schema.description ?? '');
}

export type ProfileSource = z.infer<typeof profileSchema>;
export type OperationSource = z.infer<typeof operation>;
export type ExpectationSource = z.infer<typeof expectation>;
