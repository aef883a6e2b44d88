/** Runs that are compared by times, rates and exit codes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestServer } from '../../servers/test-server.js';
import { certificateAuthority } from '../../support/certificates.js';
import { brief, byName, calling, type Evidence, even, observe, steady } from '../../support/observed-run.js';
import { once } from '../../support/once.js';
import { type Finished, run } from '../../support/swarmbench.js';
import { tempFolder } from '../../support/temp-folder.js';

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

/** Two runs that mostly wait are made at the same time. */
const stagesAndBytes = once(async () => {
  const [stages, bytes] = await Promise.all([throughStages(), stoppedByBytes()]);
  return { stages, bytes };
});

export async function stagesRun(): Promise<Evidence> {
  return (await stagesAndBytes()).stages;
}

export async function bytesRun(): Promise<Evidence> {
  return (await stagesAndBytes()).bytes;
}

function throughStages(): Promise<Evidence> {
  return observe({
    scenario: {
      name: 'stages',
      workload: { caller: calling('even', { clients: 4, connections: 1, arrivals: { rate: '25/s' } }) },
      stages: [
        { name: 'ramp', duration: '2s', load: { from: '0%', to: '100%' }, scale: 'rate', measured: false },
        { name: 'steps', load: { steps: ['25%', '75%'], hold: '1s' } },
      ],
      repeat: 2,
    },
  });
}

function stoppedByBytes(): Promise<Evidence> {
  return observe({
    scenario: {
      name: 'bytes',
      workload: { caller: calling('big', { arrivals: { rate: '20/s' } }) },
      stages: steady,
      limits: { bytes: '2 MiB' },
    },
  });
}

export const abortedRun = once(() =>
  observe({
    scenario: {
      name: 'stopped',
      workload: { caller: calling('slow', { thinkTime: '0ms' }) },
      stages: [{ name: 'steady', duration: '20s' }],
      thresholds: [{ check: 'latency.p50 < 20ms', abortOnFail: true, after: '1500ms' }],
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

/** The reference server validates arguments against the schemas that it lists. */
export const autoRun = once(() =>
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
