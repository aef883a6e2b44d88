/** A scenario, as written. The description of each key goes into the JSON Schema and `docs/scenario-reference.md`. */
import { z } from 'zod';
import { faultSchema } from '../faults/fault-kinds.js';
import { transportNames } from '../transports.js';
import {
  duration,
  MAX_REPLICAS,
  MOST_PARTS,
  MOST_UPSTREAMS,
  name,
  percentage,
  positiveDuration,
  rate,
  size,
  text,
  wholeNumber,
} from './fields.js';
import { eras, overrideSchema, stickiness } from './profile-schema.js';

const server = z.union([
  z.enum(['reference', 'sink']),
  z.strictObject({
    url: z
      .union([text, z.array(text).min(1)])
      .optional()
      .describe('The URL of a running server, or a list of URLs. Clients are spread over them evenly.'),
    image: text
      .optional()
      .describe(
        "A container image of yours. During the run it takes the place of the stack's own server. Needs a swarm.",
      ),
    port: wholeNumber(1, 65_535)
      .optional()
      .describe('The port in its container at which `image` answers MCP. Default 3000.'),
    path: z
      .string()
      .regex(/^\/[!-~]*$/, { error: 'a path begins with /' })
      .optional()
      .describe('The path at which `image` answers MCP. Default /mcp.'),
    command: z
      .array(text)
      .min(1)
      .optional()
      .describe(
        'Program and arguments of a server that speaks over its standard streams. Each session starts one of its ' +
          'own. On this machine only, over transport stdio.',
      ),
    env: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        'Environment variables of `command`, beside PATH, HOME and the like. `${VAR}` is replaced from the ' +
          'environment of swarmbench. Never written to logs or reports.',
      ),
  }),
]);

const tls = z.strictObject({
  ca: text
    .optional()
    .describe(
      'PEM file with the certificate authorities to trust, in place of those of the system. ' +
        "Relative to the scenario's folder, as are the other files.",
    ),
  cert: text
    .optional()
    .describe(
      'PEM file with the client certificate (and its chain), for a target that asks for one. Needs `key` beside it.',
    ),
  key: text
    .optional()
    .describe('PEM file with the private key of `cert`, without a passphrase. Never written to logs or reports.'),
  insecure: z.boolean().prefault(false).describe("true: do not check the target's certificate. The report says so."),
});

const auth = z.strictObject({
  tokenFile: text
    .optional()
    .describe(
      'File with bearer tokens, one on each line. Client k of the run sends token k modulo their number as ' +
        "`Authorization: Bearer`. Relative to the scenario's folder. This or `tokenEnv`.",
    ),
  tokenEnv: z
    .string()
    .regex(/^\w+$/, { error: 'not the name of an environment variable' })
    .optional()
    .describe('Environment variable with bearer tokens, separated by white space or commas. This or `tokenFile`.'),
});

const truth = z.strictObject({
  url: text.describe(
    'Where the server behind the target says how much it has answered: a JSON document such as `/stats` of the ' +
      'reference server, or with `query` a Prometheus. Asked by the controller, before and after each turn of an arm.',
  ),
  jsonPath: text
    .optional()
    .describe(
      'Where in the document the count is ($.requests.total), or a map of operations to counts. Default: as the ' +
        'reference server writes it.',
    ),
  query: text
    .optional()
    .describe('A Prometheus query for a counter, such as sum by (tool) (mcp_calls_total). `url` is then its server.'),
  label: text
    .optional()
    .describe('The label of the result that names the operation: the tool, uri, prompt or method. Default: none.'),
});

/** One number for all upstreams, or several that they take in turn. */
function ofEach(min: number, max: number) {
  return z.union([wholeNumber(min, max), z.array(wholeNumber(min, max)).min(1).max(MOST_UPSTREAMS)]);
}

const IN_TURN = 'One number for all of them, or a list that they take in turn.';

const upstreams = z.union([
  wholeNumber(1, MOST_UPSTREAMS),
  z.strictObject({
    count: wholeNumber(1, MOST_UPSTREAMS).describe('How many there are: upstream1, upstream2, ...'),
    tools: ofEach(1, 5000).prefault(5).describe(`How many tools each has: upstream1_tool_1, ... ${IN_TURN}`),
    toolBytes: ofEach(1, 1_000_000)
      .optional()
      .describe(`About how many bytes the listing of a tool has. ${IN_TURN} Default: as few as can be.`),
    schemaDepth: ofEach(1, 50)
      .optional()
      .describe(`How many objects are nested in the arguments of a tool. ${IN_TURN} Default 1.`),
    answerBytes: ofEach(0, 8_388_608)
      .optional()
      .describe(`How many bytes an answer has at least. ${IN_TURN} Default 0.`),
    pageSize: ofEach(1, 5000).optional().describe(`Tools on a page of tools/list. ${IN_TURN} Default: all.`),
  }),
]);

const prepareCall = z.strictObject({
  url: text.describe(
    'Where the gateway is told of its upstreams. With `{{ name }}` or `{{ url }}` in the url, a header or the body ' +
      'it is called once for each of them, in their order; otherwise once, and `{{ upstreams }}` is all of them, as ' +
      'a JSON list of { name, url }. `${VAR}` is replaced from the environment.',
  ),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).prefault('POST').describe('The HTTP method.'),
  headers: z
    .record(z.string(), z.string())
    .prefault({})
    .describe('HTTP headers. `${VAR}` is replaced from the environment. Never written to logs or reports.'),
  body: z
    .unknown()
    .optional()
    .describe('A text that is sent as it is, or a map or list that is sent as JSON. Never written to logs or reports.'),
});

const prepare = z.union([
  z
    .array(text)
    .min(1)
    .describe(
      'A program with its arguments, on this machine only. It finds the upstreams in the environment ' +
        '(SWARMBENCH_UPSTREAMS: a JSON list of { name, url, tools }) and the gateway in SWARMBENCH_TARGET.',
    ),
  prepareCall,
]);

export const targetSchema = z.strictObject({
  server: server
    .prefault('reference')
    .describe(
      'reference: our server, with tools of known behaviour; sink: a server that answers as fast as it can, for ' +
        'calibration; { url: ... }: a running server; { image: ... }: a container image of yours; ' +
        '{ command: [...] }: a program that each session starts.',
    ),
  replicas: z
    .union([wholeNumber(1, MAX_REPLICAS), z.literal('auto')])
    .optional()
    .describe(
      'Processes of `reference`, `sink` or an image. Clients are spread over them evenly. Default 1. ' +
        'auto: one for every 14,000 connections.',
    ),
  gateway: z
    .strictObject({
      sticky: stickiness
        .prefault('session')
        .describe('What keeps a client at its replica. A platform that cannot do it refuses the run.'),
    })
    .optional()
    .describe('The load balancer in front of the replicas.'),
  era: eras
    .prefault('auto')
    .describe(
      'The era of MCP. legacy: revisions 2024-11-05 to 2025-11-25, with sessions; modern: 2026-07-28, stateless; ' +
        'auto: negotiated once in the preflight, then the same for the whole run and stated in the report.',
    ),
  startTimeout: positiveDuration
    .optional()
    .describe(
      'How long a started command may take to its first answer. Default 60s. The load begins when the servers of ' +
        'the clients of the first stage have started; a client that comes later waits for its server.',
    ),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'HTTP headers of every request to `server.url`. `${VAR}` is replaced from the environment. ' +
        'Never written to logs or reports.',
    ),
  tls: tls.optional().describe('How to speak https with `server.url`.'),
  truth: truth
    .optional()
    .describe(
      'How to find out how many answers really came from the server: fewer than the clients got mean a cache, more ' +
        'mean hidden retries.',
    ),
  upstreams: upstreams
    .optional()
    .describe(
      'Reference servers to start behind the gateway at `server.url`, each with a name and tools of its own: their ' +
        'number, or a map. `prepare` tells the gateway of them. On this machine only.',
    ),
  prepare: prepare
    .optional()
    .describe(
      'How the gateway is told of its upstreams: a command ([node, register.js]) or an HTTP call ({ url: ... }). The ' +
        'time from its start until the gateway lists all their tools is reported.',
    ),
  prepareTimeout: positiveDuration
    .optional()
    .describe('How long it may take from the start of `prepare` until all tools are listed. Default 60s.'),
  auth: auth
    .optional()
    .describe('Bearer tokens for `server.url`, spread over the clients. Never written to logs or reports.'),
});

/** Only one gateway is told of its upstreams. */
const { upstreams: _upstreams, prepare: _prepare, prepareTimeout: _prepareTimeout, ...ofArm } = targetSchema.shape;

const arm = z.strictObject({
  ...ofArm,
  server: server.optional().describe(targetSchema.shape.server.description ?? ''),
  era: eras.optional().describe(targetSchema.shape.era.description ?? ''),
  transport: z
    .enum(transportNames)
    .optional()
    .describe('The transport of all clients of this arm, whatever their profiles say.'),
});

/** More would make each of them short. */
const MOST_ARMS = 8;
const arms = z
  .record(name, arm)
  .refine((entries) => Object.keys(entries).length >= 2, { error: 'at least two arms: there is nothing to compare' })
  .refine((entries) => Object.keys(entries).length <= MOST_ARMS, { error: `at most ${MOST_ARMS} arms` });

const interleave = z.strictObject({
  blocks: wholeNumber(6, 200)
    .optional()
    .describe(
      'Into how many blocks each measured stage is cut. In each block every arm has its turn. Default: blocks in ' +
        'which a turn lasts 3s or more, at least 6 (fewer have no interval of 95 %) and at most 20.',
    ),
  settle: positiveDuration
    .prefault('1s')
    .describe(
      'How long an arm is loaded before each of its turns, without being measured: its sessions are opened anew. ' +
        'Servers that each session starts may need more. --time-scale does not change it.',
    ),
});

const load = z.union([
  percentage,
  z.strictObject({
    from: percentage.optional().describe('The load at the start of a ramp.'),
    to: percentage.optional().describe('The load at the end of a ramp. In between it changes continuously.'),
    steps: z.array(percentage).min(1).max(10_000).optional().describe('Loads that are held one after the other.'),
    hold: positiveDuration.optional().describe('How long each step is held. The stage lasts steps x hold.'),
  }),
]);

const stage = z.strictObject({
  name: name.describe('The name of the stage, unique in the scenario. It is the `stage` label of thresholds.'),
  duration: positiveDuration
    .optional()
    .describe('How long the stage lasts. Not with `steps`, which decide that themselves.'),
  load: load
    .prefault('100%')
    .describe(
      'How much of the workload is active: a percentage, a ramp { from: 0%, to: 100% }, or steps ' +
        '{ steps: [10%, 50%, 100%], hold: 30s }.',
    ),
  measured: z
    .boolean()
    .prefault(true)
    .describe(
      'false: for warm-up and ramps. The stage is in the timeline, but not in summaries, and not in thresholds ' +
        'unless they name it.',
    ),
  profiles: z
    .array(name)
    .min(1, { error: 'at least one profile' })
    .max(MOST_PARTS)
    .optional()
    .describe(
      'The profiles that take part, by their names in the workload. All others are silent and have no session. ' +
        'Default: all.',
    ),
  scale: z
    .enum(['clients', 'rate'])
    .prefault('clients')
    .describe('What `load` scales. clients: how many clients are active; rate: the rate of each client (open loop).'),
});

const checkText = text.describe('METRIC[{label="value"}] OP NUMBER[UNIT], such as latency.p95{stage="peak"} < 200ms.');

const threshold = z.union([
  checkText,
  z.strictObject({
    check: checkText,
    abortOnFail: z.boolean().prefault(false).describe('true: stop the run as soon as the check fails.'),
    after: duration
      .prefault('0s')
      .describe('While the run goes on, the check is not judged before this much measured time.'),
  }),
]);

const stopRule = z.strictObject({
  check: checkText,
  window: positiveDuration.prefault('10s').describe('The length of the sliding window that the check looks at.'),
});

const limits = z.strictObject({
  clients: wholeNumber(1, 10_000_000).prefault(10_000).describe('The most virtual clients.'),
  rate: rate.prefault('500000/s').describe('The most operations a second, of all clients together.'),
  duration: positiveDuration.prefault('24h').describe('The longest run, without the drain.'),
  bytes: size
    .prefault('1 TiB')
    .describe('The most bytes sent and received. A worker that has used up its share stops its load.'),
  answer: size
    .prefault('16 MiB')
    .describe(
      'The longest answer that is read. A longer one fails with `answer_limit`, which is our limit, and ends its ' +
        'connection.',
    ),
});

const preflight = z.strictObject({
  calls: z
    .enum(['require', 'warn', 'skip'])
    .prefault('require')
    .describe(
      'One trial call of each operation before the load. require: the run begins only when all succeed; ' +
        'warn: a failure is noted in the report; skip: no trial calls, for tools that fail on purpose or must not ' +
        'be called for nothing.',
    ),
  timeout: positiveDuration
    .prefault('10s')
    .describe(
      'Time limit of each request of the preflight. A trial call gets the `timeout` of its profile where that is ' +
        'longer.',
    ),
});

/** `p99.9` becomes 99.9. */
const quantile = z
  .string()
  .regex(/^p\d{1,2}(?:\.\d{1,4})?$/, { error: 'a quantile is written like p50 or p99.9' })
  .transform((written) => Number(written.slice(1)));

export const scenarioSchema = z.strictObject({
  name: name.describe('The name of the scenario in runs and reports.'),
  description: z.string().optional().describe('What this scenario finds out.'),
  seed: wholeNumber(0, 4_294_967_295)
    .prefault(1)
    .describe('The seed of everything random. The same seed gives the same operations and arrivals.'),
  target: targetSchema.optional().describe('The server under load. Default: the reference server with 1 replica.'),
  arms: arms
    .optional()
    .describe(
      'Targets to compare within one run, by name: direct: { server: { url: ... } }, gateway: { ... }. Each has the ' +
        'keys of `target`, and takes what it does not say from there; one with a `server` of its own takes only the ' +
        'era and `truth`. They get the same load in turn, and the report says how much each differs from the first.',
    ),
  interleave: interleave.optional().describe('How the arms take turns.'),
  workload: z
    .record(name, overrideSchema.nullable())
    .refine((entries) => Object.keys(entries).length <= MOST_PARTS, { error: `at most ${MOST_PARTS} workloads` })
    .describe(
      'The profiles that make the load. Each entry is the name of a profile with the keys to override; with ' +
        '`profile` it is a name of your own.',
    ),
  stages: z
    .array(stage)
    .min(1, { error: 'at least one stage' })
    .max(MOST_PARTS)
    .describe('The stages of the run, one after the other.'),
  faults: z
    .array(faultSchema)
    .max(MOST_PARTS)
    .optional()
    .describe(
      'What is changed or broken on purpose during the load. Each fault is undone at its end. A platform refuses the ' +
        'kinds that it cannot do, by name.',
    ),
  thresholds: z
    .array(threshold)
    .max(MOST_PARTS)
    .optional()
    .describe('Checks that the run must pass, judged over the measured stages. No data is never a pass.'),
  stopWhen: z
    .array(stopRule)
    .max(100)
    .optional()
    .describe('Safety rules: the run stops when one of these checks holds over a sliding window.'),
  compare: z
    .array(
      text.describe(
        'METRIC[{label="value"}] SIGN NUMBER UNIT [and SIGN NUMBER UNIT], such as latency.p95 +10% and +2ms.',
      ),
    )
    .optional()
    .describe(
      'What counts as a change when runs are compared: `latency.p95 +10% and +2ms`, `throughput -5%`, ' +
        '`errors.rate +0.5pp`. Only these rules decide. Default: these three.',
    ),
  quantiles: z
    .array(quantile)
    .min(1)
    .max(10)
    .optional()
    .describe(
      'The latency quantiles that tables, charts, the terminal and JUnit show, such as [p50, p95, p99.9]. ' +
        'Default: p50, p95 and p99.',
    ),
  repeat: wholeNumber(1, 100)
    .prefault(1)
    .describe('The number of trials. Each trial runs all stages; trials follow one another.'),
  limits: limits.prefault({}).describe('Limits that are checked before the run and enforced by every worker.'),
  preflight: preflight
    .prefault({})
    .describe('The session that one worker tries before the load: handshake, lists, a call of each operation.'),
  onWorkerLoss: z
    .enum(['fail', 'replace', 'continue'])
    .prefault('fail')
    .describe(
      'What happens when a worker is lost. fail: stop, and the run is incomplete; replace: its clients move to ' +
        'workers that have room; continue: go on with less load.',
    ),
  drain: positiveDuration
    .optional()
    .describe(
      'How long to wait for the last answers after the last stage. Default: 10s, or the longest `timeout` where that ' +
        'is longer. --time-scale does not change it.',
    ),
});

export type ScenarioSource = z.infer<typeof scenarioSchema>;
export type StageSource = z.infer<typeof stage>;
export type TargetSource = z.infer<typeof targetSchema>;
