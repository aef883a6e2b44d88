/**
 * A client profile, as written. The description of each key goes into the JSON Schema and into
 * `docs/scenario-reference.md`.
 */
import { z } from 'zod';
import { abortKinds, abortMeanings, malformedKinds, malformedMeanings } from '../misbehave.js';
import { type TransportFacts, transportNames, transports, transportsWhere } from '../transports.js';
import { duration, name, percentage, positiveDuration, rate, size, sizeRate, text, wholeNumber } from './fields.js';

/** `reference: our server; sink: a fast one`. */
function listOf(meanings: Readonly<Record<string, string>>): string {
  return Object.entries(meanings)
    .map(([value, meaning]) => `${value}: ${meaning}`)
    .join('; ');
}

function namesOf(fits: (facts: TransportFacts) => boolean): string {
  return transportsWhere(fits).join(', ');
}

const withStreams = namesOf(({ serverMessages }) => serverMessages === 'streams');
const withOneConnection = namesOf(({ oneConnection }) => oneConnection);
const withoutPipelining = namesOf(({ pipelines }) => !pipelines);
const keepingSessions = namesOf(({ misbehaviour }) => misbehaviour.keepsSession);

/** Of a target, or of the profiles that want another one. */
export const stickiness = z.enum(['none', 'session', 'cookie', 'source']);
export const eras = z.enum(['auto', 'legacy', 'modern']);

const sessionModes = {
  reuse: 'one session for the whole run',
  pool: 'several clients share a session',
  'per-request': 'a session for every operation',
  churn: 'a new session every so often',
} as const;
const sessionMode = z.enum(Object.keys(sessionModes) as (keyof typeof sessionModes)[]);

const session = z.union([
  sessionMode,
  z.strictObject({
    mode: sessionMode.describe(`${listOf(sessionModes)}.`),
    size: wholeNumber(1, 1_000_000)
      .optional()
      .describe('With `mode: pool`: the number of sessions. Client k uses session k modulo `size`.'),
    every: z
      .string()
      .regex(/^(?:\d+ operations?|\d.*[a-zµ])$/, {
        error: (issue) =>
          `\`${String(issue.input)}\` is neither a number of operations nor a duration, ` +
          'such as "100 operations" or 30s',
      })
      .optional()
      .describe('With `mode: churn`: when a session ends and the next begins. `100 operations` or a duration.'),
  }),
]);

const ratePerClient = rate.describe('Operations a second of each client at 100 % load.');
const spacingMeaning = 'uniform: evenly spaced, with the clients staggered; poisson: random gaps, drawn from the seed.';
const spacing = z.enum(['uniform', 'poisson']).describe(spacingMeaning);

const arrivals = z.strictObject({ rate: ratePerClient, spacing: spacing.prefault('uniform').describe(spacingMeaning) });

const thinkTime = z.union([
  duration,
  z.strictObject({
    min: duration.optional().describe('The shortest pause. With `max`; pauses are uniform between the two.'),
    max: duration.optional().describe('The longest pause.'),
    mean: positiveDuration.optional().describe('The mean pause. With `distribution`.'),
    distribution: z
      .enum(['exponential'])
      .optional()
      .describe('exponential: the pauses of a Poisson process with that mean.'),
  }),
]);

const stream = z.strictObject({
  open: z
    .boolean()
    .optional()
    .describe(
      'true: keep a stream open although nothing is subscribed (session era only). ' +
        'Default: only profiles that subscribe have a stream.',
    ),
  away: z
    .array(name)
    .optional()
    .describe(
      'Stages, by name, in which the clients are away: they close their streams, keep sessions and subscriptions, ' +
        `and open the streams again afterwards. Over transports other than ${withStreams} they unsubscribe instead, ` +
        'and miss what is published meanwhile.',
    ),
  resume: z
    .boolean()
    .optional()
    .describe(
      'Whether a stream that is opened again asks for what it missed (Last-Event-ID, session era). Default true over ' +
        `${withStreams}; nothing can be resumed over other transports.`,
    ),
});

const expectation = z.strictObject({
  contains: z
    .union([text, z.array(text).min(1)])
    .optional()
    .describe(
      'A text, or a list of texts, each of which must occur in some text of the result. Like the values of `equals`, ' +
        "it may hold placeholders of the operation's arguments, which have the values that were sent, and " +
        '{{ client }} and {{ seq }}.',
    ),
  equals: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'Values by JSON path into the result: { "$.structuredContent.count": 3 }. ' +
        "A path names one place with .name, ['name'], [0] and [-1].",
    ),
  size: z
    .strictObject({
      min: size.optional().describe('At least this many bytes.'),
      max: size.optional().describe('At most this many bytes.'),
    })
    .optional()
    .describe('The length of the JSON-RPC answer.'),
});

const operation = z.strictObject({
  name: text
    .optional()
    .describe(
      'The name in reports and thresholds, unique within the profile. Default: the tool, uri, prompt or method.',
    ),
  tool: text.optional().describe('Call this tool (tools/call).'),
  resource: text
    .optional()
    .describe('Read this uri (resources/read). It may hold templates when `target.era` is legacy.'),
  prompt: text.optional().describe('Get this prompt (prompts/get).'),
  ping: z
    .literal(true, { error: 'write `ping: true`' })
    .optional()
    .describe('Send a ping. Refused when `target.era` is modern: the stateless era (2026-07-28) has no ping.'),
  list: z
    .enum(['tools', 'resources', 'prompts'])
    .optional()
    .describe('Ask for the first page of tools/list, resources/list or prompts/list.'),
  subscribe: text
    .optional()
    .describe(
      'Subscribe to this uri as each session opens, and listen on a stream: resources/subscribe and the GET stream ' +
        'in the session era, subscriptions/listen in the stateless era. Over transports other than ' +
        `${withStreams}, updates come on the connection of the session. May hold \`{{ client }}\`.`,
    ),
  progress: z
    .literal(true, { error: 'write `progress: true`' })
    .optional()
    .describe('Send a progress token with the tool call, and count the progress notifications.'),
  arguments: z
    .union([z.enum(['auto'], { error: 'expected a map of arguments' }), z.record(z.string(), z.unknown())])
    .optional()
    .describe(
      'Arguments of the tool or prompt. Text in them may hold templates. auto: made up before the load begins, from ' +
        'what the server lists; refused where the list does not say enough to be sure, and for a tool that calls ' +
        'itself destructive.',
    ),
  expect: expectation
    .optional()
    .describe(
      'What a correct answer holds beyond the rules of MCP. An answer without it has failed with `expectation`. ' +
        'Every such answer is parsed, which takes time in the worker.',
    ),
  validate: z
    .enum(['sample', 'all', 'none'])
    .prefault('sample')
    .describe(
      "Which answers have their `structuredContent` held against the tool's `outputSchema`, if it has one. " +
        'sample: those that are parsed anyway, which are all that differ from the ones before in more than a text; ' +
        'all: every one, which takes time in the worker; none: no answer.',
    ),
  weight: z
    .number()
    .positive({ error: 'must be more than 0' })
    .max(1_000_000)
    .prefault(1)
    .describe('How often it is called, in proportion to the other operations. A subscription has no weight.'),
});

const operations = z.union([
  z.array(operation).min(1, { error: 'at least one operation' }),
  z.strictObject({
    tools: z
      .literal('auto', { error: 'write `tools: auto`' })
      .describe('auto: every tool of the server that is not destructive, with `arguments: auto`.'),
  }),
]);

const share = percentage.describe('The share of operations. All others are sent as they should be.');

const abort = z.union([
  percentage,
  z.strictObject({
    share,
    kinds: z
      .array(z.enum(abortKinds))
      .min(1, { error: 'at least one kind' })
      .optional()
      .describe(
        'When the connection is closed; each kind is equally likely. ' +
          `${listOf(abortMeanings)}. Default: all kinds that the transport has.`,
      ),
    how: z
      .enum(['close', 'reset'])
      .prefault('close')
      .describe(
        'close: as when a program ends (FIN, or RST where bytes of the answer were not read); ' +
          'reset: always with RST, as when a program crashes.',
      ),
  }),
]);

const malformed = z.union([
  percentage,
  z.strictObject({
    share,
    kinds: z
      .array(z.enum(malformedKinds))
      .min(1, { error: 'at least one kind' })
      .optional()
      .describe(
        'How requests are broken; each kind is equally likely. ' +
          `${listOf(malformedMeanings)}. Default: all kinds that the transport has.`,
      ),
    oversize: size.prefault('8 MiB').describe('The length of the body of an oversize request.'),
  }),
]);

const reconnect = z.strictObject({
  every: positiveDuration.describe('Run time between two losses.'),
  together: z
    .boolean()
    .prefault(true)
    .describe('true: all clients of the profile lose their connections at the same moment; false: evenly spread.'),
  session: z
    .enum(['keep', 'new'])
    .optional()
    .describe(
      `keep: come back on new connections in the same session, which only ${keepingSessions} can; ` +
        'new: leave the session behind without ending it, and open another one. Default: keep where the transport can.',
    ),
});

const misbehaveSchema = z.strictObject({
  readRate: sizeRate.optional().describe('Slow reader: each socket is read no faster than this.'),
  writeRate: sizeRate
    .optional()
    .describe('Slow writer: the bytes of requests leave each socket no faster than this, the handshake included.'),
  abort: abort
    .optional()
    .describe(
      'The share of operations, drawn from the seed, whose connection is closed before the answer is complete: `1%`, ' +
        'or a map. Each uses a connection of its own, so that no other operation suffers.',
    ),
  malformed: malformed
    .optional()
    .describe(
      'The share of operations, drawn from the seed, that are broken on purpose: `1%`, or a map. Each uses a ' +
        'connection of its own. The report shows how the server reacts to each kind.',
    ),
  idle: positiveDuration
    .optional()
    .describe(
      'Initialise, then send nothing for this long; then one operation shows whether the session is still alive, and ' +
        'the next silence begins. Takes the place of `arrivals` and `thinkTime`.',
    ),
  reconnect: reconnect
    .optional()
    .describe('The clients lose their connections again and again, and come back at once.'),
});

export const profileSchema = z.strictObject({
  name: name.describe('The name of the profile, which is also the name of its file.'),
  description: z.string().optional().describe('What this kind of client does.'),
  clients: wholeNumber(1, 1_000_000).describe('The number of virtual clients at 100 % load.'),
  transport: z
    .enum(transportNames)
    .prefault('streamable-http')
    .describe(
      'How clients reach the server. ' +
        `${listOf(Object.fromEntries(transportNames.map((one) => [one, transports[one].summary])))}.`,
    ),
  gateway: z
    .strictObject({
      sticky: stickiness.describe(
        'What keeps these clients at their replicas. The gateway of a swarm has a port for each kind.',
      ),
    })
    .optional()
    .describe(
      'How these clients go through the gateway, where that differs from `target.gateway`. ' +
        'One run can compare several kinds.',
    ),
  era: eras
    .optional()
    .describe(
      'The era of these clients, where it differs from `target.era`. The preflight negotiates it for them alone.',
    ),
  session: session
    .prefault('reuse')
    .describe(
      'How long a client keeps its MCP session: reuse, per-request, { mode: pool, size: 10 } or ' +
        '{ mode: churn, every: 100 operations }.',
    ),
  arrivals: arrivals
    .optional()
    .describe('Open loop: operations are due at fixed times, however slowly the target answers. This or `thinkTime`.'),
  thinkTime: thinkTime
    .optional()
    .describe(
      'Closed loop: the pause between an answer and the next operation. 100ms, { min: 50ms, max: 150ms } or ' +
        '{ mean: 100ms, distribution: exponential }; 0ms for no pause. This or `arrivals`.',
    ),
  maxInFlight: wholeNumber(1, 100_000)
    .optional()
    .describe(
      'The most operations that one client has on the wire at once. What is due beyond it waits, and its latency ' +
        'still counts from when it was due. In a closed loop: the number of independent loops of one client. With ' +
        'session per-request: its sessions at once. Default: 1 in a closed loop, connections x pipeline in an open ' +
        'loop.',
    ),
  connections: wholeNumber(1, 10_000)
    .optional()
    .describe(
      `TCP connections of one client. Always 1 over ${withOneConnection}. Over ${withoutPipelining} it is the ` +
        'number of requests in flight, each on a connection of its own. Default: maxInFlight / pipeline where ' +
        'maxInFlight is given, else 8 in an open loop and 1 in a closed loop.',
    ),
  pipeline: wholeNumber(1, 1_000)
    .prefault(1)
    .describe(
      'Requests in flight on one connection (HTTP/1.1 pipelining, with answers in order). The report says so where ' +
        `it is more than 1. Not over ${withoutPipelining}. Over ${withOneConnection} answers may come in any order, ` +
        'and the default is maxInFlight (open loop: 8).',
    ),
  pacing: z
    .enum(['auto', 'batch', 'metronome', 'spin'])
    .prefault('auto')
    .describe(
      'How exactly due times are kept. batch: to 1 ms; metronome: to 0.1 ms, at the cost of processor time; ' +
        'spin: as exactly as the machine can, at the cost of a whole core; ' +
        'auto: metronome on a worker that sends at most 1,000 operations a second, otherwise batch.',
    ),
  timeout: positiveDuration
    .prefault('5s')
    .describe('An operation has failed when it has no answer this long after it was sent.'),
  onClose: z
    .enum(['delete', 'abandon', 'reset'])
    .prefault('delete')
    .describe(
      'How a session ends. delete: in good order, which is a DELETE over HTTP, nothing over sse, a close frame over ' +
        'websocket, the end of our side of the connection over tcp, and the end of input, then SIGTERM, then SIGKILL ' +
        'over stdio; abandon: by closing its sockets; reset: by resetting them.',
    ),
  stream: stream
    .optional()
    .describe('The stream for messages that the server sends by itself. Profiles that subscribe have one.'),
  operations: operations.describe(
    'The operations that a client calls, mixed by weight: a list, or { tools: auto } for every tool that the server ' +
      'lists, with made-up arguments. Tools that call themselves destructive are left out, as are those for which no ' +
      'arguments can be made up and those whose trial call fails; the preflight says which and why.',
  ),
  misbehave: misbehaveSchema
    .optional()
    .describe('Bad behaviour on purpose. It is counted on its own, never as errors of the target.'),
});

/** A workload entry: any key of a profile but the name. All are optional and without defaults: the profile has them. */
export const overrideSchema = z.strictObject({
  ...Object.fromEntries(
    Object.entries(profileSchema.shape)
      .filter(([key]) => key !== 'name')
      .map(([key, schema]) => [key, asOverride(schema)]),
  ),
  arrivals: z
    .strictObject({ rate: ratePerClient.optional(), spacing: spacing.optional() })
    .optional()
    .describe('Open loop. A key that is left out stays as in the profile. Takes the place of `thinkTime`.'),
  profile: name.optional().describe('The profile to start from. Default: the profile of the same name.'),
});

function asOverride(schema: z.ZodType): z.ZodType {
  const bare = schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema;
  return bare.optional().describe(schema.description ?? '');
}

export type ProfileSource = z.infer<typeof profileSchema>;
export type OperationSource = z.infer<typeof operation>;
export type OperationsSource = z.infer<typeof operations>;
export type ExpectationSource = z.infer<typeof expectation>;
export type MisbehaveSource = z.infer<typeof misbehaveSchema>;
