import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedDelay } from '../../servers/behaviours.js';
import type { Behaviour } from '../../servers/call.js';
import { type ServerLog, startTestServer, type TestServerOptions } from '../../servers/test-server.js';
import { certificateAuthority } from '../../support/certificates.js';
import { withLateness } from '../../support/lateness.js';
import {
  type Finished,
  type RunRequest,
  run,
  type ScenarioFile,
  startRun,
  swarmbench,
  writeScenario,
} from '../../support/swarmbench.js';
import { tempFolder } from '../../support/temp-folder.js';
import { amongOthers, once } from './once.js';

/** A finished run and what its target saw of it. */
export interface Evidence extends Finished {
  readonly log: ServerLog;
  /** How late the machine woke sleeping threads meanwhile, in the median. */
  readonly lateMs: number;
}

/** Of each tool that is right half of the time: the second answer is wrong, the fourth, ... */
const halves = new Map<string, number>();

/**
 * Tools whose name starts with `slow` take 150 ms, `half` are right every other time, `stuck` never answers, all others
 * answer at once.
 */
const byName: Behaviour = (call) => {
  if (call.tool?.startsWith('half') === true) {
    const number = (halves.get(call.tool) ?? 0) + 1;
    halves.set(call.tool, number);
    // As long as the right answer and as plain, but for the one that is to be too long.
    const wrong = call.tool === 'half-size' ? 'ok'.padEnd(400) : 'ko';
    return call.answer(number % 2 === 1 ? call.rightAnswer : call.rightAnswer.replace('"ok"', JSON.stringify(wrong)));
  }
  if (call.tool?.startsWith('slow') === true) return fixedDelay(150)(call);
  if (call.tool !== 'stuck') call.answer();
};

async function observe(request: RunRequest, server: Partial<TestServerOptions> = {}): Promise<Evidence> {
  const { url, log } = await startTestServer({ behaviour: byName, tools: toolsOf(request.scenario), ...server });
  const { value, lateMs } = await withLateness(() => run({ target: url, ...request }));
  return { ...value, log, lateMs };
}

/** Every tool that the scenario calls: the preflight looks for them in `tools/list`. */
function toolsOf(scenario: ScenarioFile): readonly string[] {
  return [...new Set([...JSON.stringify(scenario).matchAll(/"tool":"([^"]+)"/g)].map(([, tool]) => tool ?? ''))];
}

/** A profile of its own for each key: its calls are told from the others' by the tool's name. */
function calling(tool: string, more: ScenarioFile): ScenarioFile {
  return { profile: 'low-load', clients: 1, operations: [{ tool }], ...more };
}
const even = { arrivals: { rate: '30/s' }, connections: 1 };
const steady = [{ name: 'steady', duration: '3s' }];

const mix = [
  { tool: 'heavy', weight: 9 },
  { name: 'light-one', tool: 'light', arguments: { fixed: 'yes', drawn: '{{ int 1 6 }}' } },
  { resource: 'test://text', weight: 3 },
  { prompt: 'greeting', arguments: { name: 'Ada' }, weight: 3 },
  { ping: true, weight: 3 },
  { list: 'tools', weight: 3 },
];

export const clientsRun = once(() =>
  observe({
    scenario: {
      name: 'clients',
      description: 'A profile for every key of a profile.',
      seed: 5,
      target: { headers: { 'x-from-scenario': 'yes' }, server: { url: 'http://127.0.0.1:9/mcp' } },
      workload: {
        even: calling('even', { ...even, clients: 3, description: 'evenly spaced' }),
        poisson: calling('poisson', { connections: 1, arrivals: { rate: '60/s', spacing: 'poisson' } }),
        'think-fixed': calling('think-fixed', { thinkTime: '50ms' }),
        'think-between': calling('think-between', { thinkTime: { min: '30ms', max: '90ms' } }),
        'think-random': calling('think-random', { thinkTime: { mean: '30ms', distribution: 'exponential' } }),
        pool: calling('pool', { ...even, clients: 4, session: { mode: 'pool', size: 2 } }),
        'per-request': calling('per-request', {
          clients: 1,
          session: 'per-request',
          connections: 1,
          arrivals: { rate: '10/s' },
        }),
        churn: calling('churn', { ...even, session: { mode: 'churn', every: '10 operations' } }),
        window: calling('slow-window', { arrivals: { rate: '40/s' }, maxInFlight: 3, connections: 6 }),
        connections: calling('slow-connections', { arrivals: { rate: '40/s' }, connections: 4 }),
        pipeline: calling('slow-pipeline', { arrivals: { rate: '20/s' }, connections: 1, pipeline: 4 }),
        impatient: calling('slow-impatient', { thinkTime: '10ms', timeout: '60ms' }),
        expecting: calling('half-contains', {
          ...even,
          clients: 2,
          operations: [
            { tool: 'half-contains', expect: { contains: 'ok' } },
            { tool: 'half-equals', expect: { equals: { '$.content[0].text': 'ok' } } },
            { tool: 'half-size', expect: { size: { min: '20 B', max: '300 B' } } },
          ],
        }),
        mix: calling('mix', { clients: 2, arrivals: { rate: '60/s' }, operations: mix }),
        reader: calling('big', { clients: 1, thinkTime: '0ms', misbehave: { readRate: '200 KiB/s' } }),
      },
      stages: steady,
      drain: '3s',
      limits: { bytes: '1 GiB' },
    },
    args: ['--header', 'x-from-scenario: yes'],
  }),
);

const brief = [{ name: 'steady', duration: '1s' }];

const authority = certificateAuthority();
const [server, client] = [authority.issue('server'), authority.issue('client')];
const pool = calling('even', { ...even, clients: 4 });

function filesOf(texts: Readonly<Record<string, string>>): (name: string) => string {
  const folder = tempFolder();
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

/** A target that asks for a certificate, and takes one of two tokens from each client. */
export const secureRun = once(async () => {
  const file = filesOf({
    'ca.pem': authority.cert,
    'client.pem': client.cert,
    'client.key': client.key,
    'tokens.txt': 'one\ntwo\n',
  });
  const { url, log } = await startTestServer({
    behaviour: byName,
    tools: ['even'],
    tls: { ...server, ca: authority.cert },
  });
  const target = {
    server: { url },
    tls: { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') },
    auth: { tokenFile: file('tokens.txt') },
  };
  return { ...(await run({ scenario: { name: 'secure', target, workload: { caller: pool }, stages: brief } })), log };
});

export const insecureRun = once(async () => {
  const { url, log } = await startTestServer({ behaviour: byName, tools: ['even'], tls: server });
  const target = { server: { url }, tls: { insecure: true }, auth: { tokenEnv: 'TARGET_TOKENS' } };
  return {
    ...(await run({
      scenario: { name: 'insecure', target, workload: { caller: pool }, stages: brief },
      env: { TARGET_TOKENS: 'three' },
    })),
    log,
  };
});

/** How sessions end, one run each, because servers cannot tell whose connection was reset. */
function closing(onClose: string): Promise<Evidence> {
  return observe({
    scenario: {
      name: 'closing',
      workload: { caller: calling('even', { ...even, clients: 2, onClose }) },
      stages: brief,
    },
  });
}

/** Runs in which time does not matter are made at once. */
export const briefRuns = once(async () => {
  const [deleting, abandoning, resetting, modern, drained] = await Promise.all([
    closing('delete'),
    closing('abandon'),
    closing('reset'),
    observe(
      {
        scenario: {
          name: 'modern',
          target: { era: 'modern' },
          workload: { caller: calling('even', even) },
          stages: brief,
        },
      },
      { era: 'modern' },
    ),
    observe({
      scenario: {
        name: 'drained',
        workload: { caller: calling('stuck', { arrivals: { rate: '5/s' }, timeout: '30s' }) },
        stages: brief,
        drain: '1s',
      },
    }),
  ]);
  return { deleting, abandoning, resetting, modern, drained };
});

const echoing = calling('echo', { ...even, operations: [{ tool: 'echo', arguments: { message: 'hi' } }] });

/** Against a server of our own that speaks both. */
export const twoErasRun = amongOthers(() =>
  run({
    scenario: {
      name: 'two-eras',
      workload: { old: { ...echoing, era: 'legacy' }, new: { ...echoing, era: 'modern' } },
      stages: brief,
    },
  }),
);

export const stagesRun = once(() =>
  observe({
    scenario: {
      name: 'stages',
      workload: { caller: calling('even', { clients: 4, connections: 1, arrivals: { rate: '25/s' } }) },
      stages: [
        { name: 'ramp', duration: '2s', load: { from: '0%', to: '100%' }, scale: 'rate', measured: false },
        { name: 'steps', load: { steps: ['25%', '75%'], hold: '1s' } },
      ],
      repeat: 2,
    },
  }),
);

export const takingTurnsRun = amongOthers(() =>
  observe({
    scenario: {
      name: 'turns',
      workload: { first: calling('first', even), second: calling('second', even) },
      stages: [
        { name: 'one', duration: '1s', profiles: ['first'] },
        { name: 'both', duration: '1s', profiles: ['first', 'second'] },
      ],
    },
  }),
);

/** Against the sink on both replicas, so that nothing but the pace makes the lag. */
function paced(pacing: string): () => Promise<Finished> {
  return once(() =>
    run({
      scenario: {
        name: 'paced',
        target: { server: 'sink', replicas: 2 },
        workload: { caller: calling('echo', { clients: 4, arrivals: { rate: '100/s' }, pacing }) },
        stages: [{ name: 'steady', duration: '2s' }],
      },
    }),
  );
}
export const batchRun = paced('batch');
export const metronomeRun = paced('metronome');
export const spinRun = paced('spin');

function slowly(more: ScenarioFile): ScenarioFile {
  return {
    name: 'stopped',
    workload: { caller: calling('slow', { thinkTime: '0ms' }) },
    stages: [{ name: 'steady', duration: '20s' }],
    ...more,
  };
}
export const abortedRun = once(() =>
  observe({ scenario: slowly({ thresholds: [{ check: 'latency.p50 < 20ms', abortOnFail: true, after: '1500ms' }] }) }),
);
export const ruledRun = amongOthers(() =>
  observe({ scenario: slowly({ stopWhen: [{ check: 'latency.p50 > 20ms', window: '2s' }] }) }),
);

export const bytesRun = amongOthers(() =>
  observe({
    scenario: {
      name: 'bytes',
      workload: { caller: calling('big', { arrivals: { rate: '20/s' } }) },
      stages: steady,
      limits: { bytes: '2 MiB' },
    },
  }),
);

/** The reference server validates arguments against the schemas it lists. */
export const autoRun = amongOthers(() =>
  run({
    scenario: {
      name: 'auto',
      workload: {
        caller: {
          profile: 'low-load',
          clients: 2,
          arrivals: { rate: '10/s' },
          operations: [
            { tool: 'echo', arguments: 'auto' },
            { prompt: 'greeting', arguments: 'auto' },
          ],
        },
      },
      stages: [{ name: 'steady', duration: '2s' }],
    },
  }),
);

/** Stopped by the preflight, whose trial call is held against the expectation too. */
export const tooShort = once(async () => {
  const { url } = await startTestServer({ behaviour: byName });
  const { program } = startRun({
    scenario: {
      name: 'short',
      workload: { caller: calling('echo', { operations: [{ tool: 'echo', expect: { size: { min: '10000 B' } } }] }) },
      stages: brief,
    },
    target: url,
  });
  return { code: await program.ended, output: program.stdout() + program.stderr() };
});

/**
 * The words with which a scenario is refused; `run` and not `validate`, so that it is known that nothing was started.
 */
export async function refusal(scenario: ScenarioFile): Promise<string> {
  const { code, stderr } = await swarmbench([
    'run',
    writeScenario({ name: 'refused', workload: { caller: calling('even', even) }, stages: steady, ...scenario }),
  ]);
  if (code !== 2) throw new Error(`expected exit code 2, not ${code}: ${stderr}`);
  return stderr;
}

/** Only a swarm can do it (tests/stacks/scaling.test.ts); here it is refused with all that it was to do. */
export const faultRefusal = once(() =>
  refusal({ faults: [{ at: '750ms', kind: 'scale', service: 'other', replicas: 7, for: '1500ms' }] }),
);

/** Only a swarm can start it (tests/stacks/scaling.test.ts); here it is refused with all that was said of it. */
export const imageRefusal = once(() =>
  refusal({ target: { server: { image: 'my/server:1', port: 8123, path: '/rpc' } } }),
);

export const limitedRun = once(() =>
  refusal({
    workload: { caller: calling('even', { ...even, clients: 2 }) },
    limits: { clients: 1, rate: '1/s', duration: '500ms' },
  }),
);
