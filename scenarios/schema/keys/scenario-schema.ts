/**
 * A scenario, as written. What each key means stands in its description, which the JSON Schema and the README carry.
 */
import { z } from 'zod';
import { faultSchema } from '../faults/fault-kinds.js';
import { duration, MAX_REPLICAS, name, percentage, positiveDuration, rate, size, text, wholeNumber } from './fields.js';
import { eras, overrideSchema, stickiness } from './profile-schema.js';

const server = z.union([
  z.enum(['reference', 'sink']),
  z.strictObject({
    url: z
      .union([text, z.array(text).min(1)])
      .optional()
      .describe('A running server, or a list of them that clients are spread over evenly.'),
    image: text
      .optional()
      .describe(
        "A container image of yours, in the place of the stack's own server while the run is on. Needs a swarm.",
      ),
    port: wholeNumber(1, 65_535).optional().describe('Where in its container `image` answers MCP. Default 3000.'),
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
        'Program and arguments of a server that speaks over its standard streams; each session starts one of its own. Locally only; transport stdio.',
      ),
    env: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        'Environment variables of `command`, over PATH, HOME and the like; `${VAR}` is taken from our own. Never written to logs or reports.',
      ),
  }),
]);

const file = text;

const tls = z.strictObject({
  ca: file
    .optional()
    .describe(
      "PEM file of the authorities whose certificates are believed, in place of the system's. Files are relative to the scenario's folder.",
    ),
  cert: file
    .optional()
    .describe(
      'PEM file of the client certificate (with its chain) that is shown to a target that asks for one; with `key`.',
    ),
  key: file
    .optional()
    .describe('PEM file of the private key of `cert`, without a passphrase. Never written to logs or reports.'),
  insecure: z
    .boolean()
    .prefault(false)
    .describe("true: the target's certificate is not checked, which the report says."),
});

const auth = z.strictObject({
  tokenFile: file
    .optional()
    .describe(
      "File with bearer tokens, one a line; the client with slot k sends token k modulo their number as `Authorization: Bearer`. Relative to the scenario's folder. This or `tokenEnv`.",
    ),
  tokenEnv: z
    .string()
    .regex(/^\w+$/, { error: 'not the name of an environment variable' })
    .optional()
    .describe('Environment variable with bearer tokens, separated by white space or commas. This or `tokenFile`.'),
});

const target = z.strictObject({
  server: server
    .prefault('reference')
    .describe(
      'reference: our server with tools of known behaviour; sink: a bare fast responder for calibration; { url: ... }: a running server; { image: ... }: a container image of yours.',
    ),
  replicas: z
    .union([wholeNumber(1, MAX_REPLICAS), z.literal('auto')])
    .optional()
    .describe(
      'Processes of `reference`, `sink` or an image; clients are spread over them evenly. Default 1. `auto`: one for each 14,000 connections.',
    ),
  gateway: z
    .strictObject({
      sticky: stickiness
        .prefault('session')
        .describe('What keeps a client at its replica. A platform that cannot do it refuses the run by name.'),
    })
    .optional()
    .describe('The load balancer in front of the replicas.'),
  era: eras
    .prefault('auto')
    .describe(
      'legacy: revisions 2024-11-05 to 2025-11-25 with sessions; modern: 2026-07-28, stateless; auto: decided once in preflight, then pinned and reported.',
    ),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'HTTP headers of every request to `server.url`; `${VAR}` is taken from the environment. Never written to logs or reports.',
    ),
  tls: tls.optional().describe('How https is spoken with `server.url`.'),
  auth: auth
    .optional()
    .describe('Bearer tokens for `server.url`, spread over the clients. Never written to logs or reports.'),
});

const load = z.union([
  percentage,
  z.strictObject({
    from: percentage.optional().describe('Load at the start of a ramp.'),
    to: percentage.optional().describe('Load at the end of a ramp; the way there is continuous.'),
    steps: z.array(percentage).min(1).optional().describe('Loads to hold one after the other.'),
    hold: positiveDuration.optional().describe('How long each step is held; the stage lasts steps x hold.'),
  }),
]);

const stage = z.strictObject({
  name: name.describe('Unique in the scenario; the `stage` label of thresholds.'),
  duration: positiveDuration
    .optional()
    .describe('How long the stage lasts; not with `steps`, which say it themselves.'),
  load: load
    .prefault('100%')
    .describe(
      'How much of the workload is active: a percentage, a ramp { from: 0%, to: 100% } or steps { steps: [10%, 50%, 100%], hold: 30s }.',
    ),
  measured: z
    .boolean()
    .prefault(true)
    .describe(
      'false for warm-up and ramps: in the timeline, in no summary and no threshold that does not name the stage.',
    ),
  profiles: z
    .array(name)
    .min(1, { error: 'at least one profile' })
    .optional()
    .describe('Who takes part, by name in the workload; the others are silent and have no session. Default: all.'),
  scale: z
    .enum(['clients', 'rate'])
    .prefault('clients')
    .describe('What `load` scales: how many clients are active, or the rate of every client (open loop only).'),
});

const checkText = text.describe('METRIC[{label="value"}] OP NUMBER[UNIT], such as latency.p95{stage="peak"} < 200ms.');

const threshold = z.union([
  checkText,
  z.strictObject({
    check: checkText,
    abortOnFail: z.boolean().prefault(false).describe('Stop the run when the check does not hold while it runs.'),
    after: duration.prefault('0s').describe('Not judged while running before this much measured time has passed.'),
  }),
]);

const stopRule = z.strictObject({
  check: checkText,
  window: positiveDuration.prefault('10s').describe('Length of the sliding window the check is judged on.'),
});

const limits = z.strictObject({
  clients: wholeNumber(1, 10_000_000).prefault(10_000).describe('Most virtual clients.'),
  rate: rate.prefault('500000/s').describe('Most operations a second, all clients together.'),
  duration: positiveDuration.prefault('24h').describe('Longest run, without the drain.'),
  bytes: size
    .prefault('1 TiB')
    .describe('Most bytes sent and received; a worker whose share is used up stops its load.'),
});

export const scenarioSchema = z.strictObject({
  name: name.describe('What runs and reports are called.'),
  description: z.string().optional().describe('What this scenario finds out.'),
  seed: wholeNumber(0, 4_294_967_295).prefault(1).describe('One seed gives the same operations and arrivals.'),
  target: target.optional().describe('What is put under load. Default: the reference server, 1 replica.'),
  workload: z
    .record(name, overrideSchema.nullable())
    .describe('Profile name -> overrides of that profile. `profile` names another profile to start from.'),
  stages: z.array(stage).min(1, { error: 'at least one stage' }).describe('Stretches of time, one after the other.'),
  faults: z
    .array(faultSchema)
    .optional()
    .describe(
      'Things to change or break on purpose while the load is on, each undone at its end. Only a swarm can do them; elsewhere they are refused by name.',
    ),
  thresholds: z
    .array(threshold)
    .optional()
    .describe('What the run must keep to pass, judged over the measured stages. No data is never a pass.'),
  stopWhen: z.array(stopRule).optional().describe('Safety: the run stops when one of these holds on a sliding window.'),
  repeat: wholeNumber(1, 100).prefault(1).describe('Trials: all stages are run this often, one trial after the other.'),
  limits: limits.prefault({}).describe('Checked before the run and enforced in every worker.'),
  onWorkerLoss: z
    .enum(['fail', 'replace', 'continue'])
    .prefault('fail')
    .describe(
      'fail: stop, the run is incomplete; replace: its clients move to workers with room; continue: go on with less load.',
    ),
  drain: positiveDuration
    .optional()
    .describe(
      'How long the last answers may take after the last stage. Default 10s, or the longest `timeout` if that is longer. Not scaled by --time-scale.',
    ),
});

export type ScenarioSource = z.infer<typeof scenarioSchema>;
export type StageSource = z.infer<typeof stage>;
export type TargetSource = z.infer<typeof target>;
