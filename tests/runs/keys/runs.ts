/** Runs in which time does not matter, and scenarios that are refused. */
import { startCachingProxy } from '../../servers/caching-proxy.js';
import { startTestServer } from '../../servers/test-server.js';
import { brief, byName, calling, type Evidence, even, observe, steady } from '../../support/observed-run.js';
import { once } from '../../support/once.js';
import { startReferenceTarget } from '../../support/reference-target.js';
import { run, type ScenarioFile, startRun, swarmbench, writeScenario } from '../../support/swarmbench.js';
import { json, legacy, startRawServer } from '../../support/transport/raw-server.js';

const AT_ONCE = 3;
const waiting: (() => Promise<unknown>)[] = [];

const allOfThem = once(async () => {
  const left = [...waiting];
  const makeOneByOne = async (): Promise<void> => {
    // The rows that ask for a run that fails get its error.
    for (let make = left.shift(); make !== undefined; make = left.shift()) await make().catch(() => undefined);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, makeOneByOne));
});

/** These runs mostly wait: the first row that asks for one of them makes all, some at the same time. */
function amongOthers<Value>(make: () => Promise<Value>): () => Promise<Value> {
  const made = once(make);
  waiting.push(made);
  return async () => {
    await allOfThem();
    return made();
  };
}

/** One run for each way to end a session, because a server cannot tell whose connection was reset. */
function closing(onClose: string): Promise<Evidence> {
  return observe({
    scenario: {
      name: 'closing',
      workload: { caller: calling('even', { ...even, clients: 2, onClose }) },
      stages: brief,
    },
  });
}

export const briefRuns = once(async () => {
  const [deleting, abandoning, resetting] = await Promise.all([
    closing('delete'),
    closing('abandon'),
    closing('reset'),
  ]);
  const [modern, drained] = await Promise.all([
    observe(
      {
        scenario: {
          name: 'modern',
          target: { era: 'modern' },
          workload: { caller: calling('even', even) },
          stages: steady,
        },
      },
      { era: 'modern' },
    ),
    observe({
      scenario: {
        name: 'drained',
        workload: { caller: calling('stuck', { arrivals: { rate: '5/s' }, timeout: '30s' }) },
        stages: steady,
        drain: '1s',
      },
    }),
  ]);
  return { deleting, abandoning, resetting, modern, drained };
});

const echoing = calling('echo', { ...even, operations: [{ tool: 'echo', arguments: { message: 'hi' } }] });

/** Against our own server, which speaks both. */
export const twoErasRun = amongOthers(() =>
  run({
    scenario: {
      name: 'two-eras',
      workload: { old: { ...echoing, era: 'legacy' }, new: { ...echoing, era: 'modern' } },
      stages: brief,
    },
  }),
);

/** And its comparison with itself, made while its folder is there: that goes with the test that made the run. */
export const takingTurnsRun = amongOthers(async () => {
  const observed = await observe({
    scenario: {
      name: 'turns',
      workload: { first: calling('first', even), second: calling('second', even) },
      stages: [
        { name: 'one', duration: '1s', profiles: ['first'] },
        { name: 'both', duration: '1s', profiles: ['first', 'second'] },
      ],
      compare: ['latency.p50 +50%'],
      quantiles: ['p99.9', 'p75'],
    },
  });
  const { folder } = observed;
  const comparison = await swarmbench(['compare', folder, folder, '--out', folder, '--json', '--force']);
  return { ...observed, comparison };
});

/** One server: by itself, behind a proxy that spoils the measurement, and over another transport. */
export const armsRun = amongOthers(async () => {
  const { url, port, streamPort = 0 } = await startReferenceTarget({ streamPort: 0 });
  const proxy = await startCachingProxy(url, { keeps: 'echo', repeats: 'payload' });
  return run({
    scenario: {
      name: 'arms',
      workload: {
        caller: {
          ...even,
          profile: 'low-load',
          clients: 2,
          arrivals: { rate: '25/s' },
          operations: [
            { tool: 'echo', arguments: { message: 'hi' } },
            { tool: 'payload', arguments: { bytes: '{{ int 1 50 }}' } },
          ],
        },
      },
      target: { truth: { url: `http://127.0.0.1:${port}/stats` } },
      arms: {
        direct: { server: { url } },
        proxy: { server: { url: proxy } },
        socket: { server: { url: `ws://127.0.0.1:${streamPort}/mcp` }, transport: 'websocket' },
      },
      stages: [{ name: 'steady', duration: '3500ms' }],
      interleave: { blocks: 7, settle: '200ms' },
      compare: ['latency.p50 +9900%'],
      thresholds: ['errors.count{arm="socket"} == 0'],
    },
  });
});

/** Somebody else's counts: a document, and the answer of a Prometheus. Of 20 operations, 10 came from the server. */
export const truthRuns = once(async () => {
  let asked = 0;
  const counting = async (document: (count: number) => unknown): Promise<{ readonly url: string }> =>
    startRawServer((_request, socket) => {
      asked += 1;
      socket.write(json(document(asked > 1 ? 10 : 0)));
    });
  const [plain, prometheus] = [
    await counting((total) => ({ a: [{ total }] })),
    await counting((total) => ({
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: { tool: 'even' }, value: [1, String(total)] }] },
    })),
  ];
  const runWith = (truth: object): Promise<Evidence> => {
    asked = 0;
    return observe({
      scenario: { name: 'truth', target: { truth }, workload: { caller: calling('even', even) }, stages: brief },
    });
  };
  return {
    document: await runWith({ url: plain.url, jsonPath: '$.a[0].total' }),
    query: await runWith({ url: new URL('/', prometheus.url).href, query: 'sum by (tool) (calls)', label: 'tool' }),
  };
});

export const ruledRun = amongOthers(() =>
  observe({
    scenario: {
      name: 'stopped',
      workload: { caller: calling('slow', { thinkTime: '0ms' }) },
      stages: [{ name: 'steady', duration: '20s' }],
      stopWhen: [{ check: 'latency.p50 > 20ms', window: '2s' }],
    },
  }),
);

/** The preflight stops it, since its trial call has to meet the expectation too. */
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

/** Every answer is too long for us, which the preflight notes and the load counts. */
export const warnedRun = amongOthers(() =>
  run({
    scenario: {
      name: 'warned',
      workload: {
        caller: calling('long', { ...even, operations: [{ tool: 'echo', arguments: { message: '{{ text 9000 }}' } }] }),
      },
      stages: brief,
      limits: { answer: '8 KiB' },
      preflight: { calls: 'warn' },
    },
  }),
);

/** A tool that breaks its own outputSchema; one profile for each value of `validate`. */
export const validatedRun = amongOthers(async () => {
  const tool = {
    name: 'count',
    inputSchema: { type: 'object' },
    outputSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
  };
  const { url } = await startRawServer(
    legacy(({ message: { id, method } }, socket) => {
      const result =
        method === 'tools/list'
          ? { tools: [tool] }
          : { content: [{ type: 'text', text: '?' }], structuredContent: { n: '?' } };
      socket.write(json({ jsonrpc: '2.0', id, result }));
    }),
  );
  const validating = (validate: string): ScenarioFile =>
    calling('count', { ...even, operations: [{ tool: 'count', validate }] });
  return run({
    target: url,
    scenario: {
      name: 'validated',
      workload: { none: validating('none'), sample: validating('sample'), all: validating('all') },
      stages: brief,
      preflight: { calls: 'warn' },
    },
  });
});

/** A command that says nothing; nothing is put under load. */
export const silentCommand = once(async () => {
  const { code, stdout, stderr } = await swarmbench([
    'run',
    writeScenario({
      name: 'unanswered',
      target: { server: { command: ['sleep', '100'] }, startTimeout: '400ms' },
      workload: { caller: calling('even', even) },
      stages: brief,
      preflight: { timeout: '100ms' },
    }),
  ]);
  if (code !== 3) throw new Error(`expected exit code 3, not ${code}: ${stderr}`);
  return stdout + stderr;
});

/** What `run` says when it refuses a scenario; not `validate`, so that nothing is started either. */
export async function refusal(scenario: ScenarioFile): Promise<string> {
  const { code, stderr } = await swarmbench([
    'run',
    writeScenario({ name: 'refused', workload: { caller: calling('even', even) }, stages: steady, ...scenario }),
  ]);
  if (code !== 2) throw new Error(`expected exit code 2, not ${code}: ${stderr}`);
  return stderr;
}

/** Only a swarm can do these (tests/stacks/run/changed-server.ts has one); the refusal names all they were to do. */
export const faultRefusal = once(() =>
  refusal({
    target: { replicas: 4 },
    faults: [
      { at: '750ms', kind: 'scale', service: 'other', replicas: 7, for: '1500ms' },
      { at: '1s', kind: 'cpu', cpu: '150%', replica: 3, for: '100ms' },
      { at: '1200ms', kind: 'cpu', cpu: { from: '10%', to: '90%' }, replica: 3, for: '100ms' },
      { at: '1400ms', kind: 'memory', memory: '3 MiB', fraction: '30%', for: '100ms' },
      { at: '1600ms', kind: 'memory', memory: { from: '9 KiB', to: '7 KiB' }, count: 3, for: '100ms' },
      { at: '1800ms', kind: 'loss', loss: '5%', serving: true, for: '100ms' },
      { at: '2s', kind: 'loss', loss: { from: '1%', to: '2%' }, allowTotal: true, count: 4, for: '100ms' },
      { at: '2200ms', kind: 'dns', lookup: 'other-name', answer: 'slow', delay: '2s', worker: 9, for: '100ms' },
      { at: '2400ms', kind: 'rolling-update', image: 'new:2', order: 'start-first', for: '100ms' },
      { at: '2600ms', kind: 'rolling-update', environment: { SPEED: '1' }, parallelism: 5, for: '100ms' },
      { at: '2800ms', kind: 'drain', node: 'n7', for: '10ms', every: '20ms', times: 3 },
      { at: '2900ms', kind: 'drain', leader: true, name: 'coup', for: '10ms' },
      { at: '10ms', stage: 'steady', kind: 'kill', gateway: true, signal: 'SIGHUP' },
      { at: '40ms', kind: 'dns', lookup: 'x', answer: 'slow', delay: { from: '11ms', to: '22ms' }, for: '10ms' },
    ],
  }),
);

/** Of a server that swarmbench does not start, nothing can be broken; tests/runs/faults.test.ts does these. */
export const networkRefusal = once(() =>
  refusal({
    target: { server: { url: 'http://127.0.0.1:1/mcp' } },
    faults: [
      { at: '20ms', kind: 'partition', direction: 'in', for: '10ms' },
      { at: '40ms', kind: 'delay', delay: '80ms', jitter: '7ms', for: '10ms' },
      { at: '80ms', kind: 'rate', rate: '9 KiB/s', for: '10ms' },
      { at: '100ms', kind: 'rate', rate: { from: '1 KiB/s', to: '2 KiB/s' }, for: '10ms' },
      { at: '120ms', kind: 'reset', reset: '25%', for: '10ms' },
      { at: '140ms', kind: 'reset', reset: { from: '3%', to: '4%' }, for: '10ms' },
    ],
  }),
);

/** Only a swarm can start it (tests/stacks/run/changed-server.ts); here the refusal names everything about it. */
export const imageRefusal = once(() =>
  refusal({ target: { server: { image: 'my/server:1', port: 8123, path: '/rpc' } } }),
);

export const limitedRun = once(() =>
  refusal({
    workload: { caller: calling('even', { ...even, clients: 2 }) },
    limits: { clients: 1, rate: '1/s', duration: '500ms' },
  }),
);

export const everyToolRun = once(() =>
  run({
    scenario: {
      name: 'every-tool',
      workload: {
        caller: { profile: 'low-load', clients: 4, arrivals: { rate: '20/s' }, operations: { tools: 'auto' } },
      },
      stages: [{ name: 'steady', duration: '2s' }],
    },
  }),
);
