import { startReferenceServer } from '../../../swarm/reference-server/reference-server.js';
import { once } from '../../support/once.js';
import { eventsOf, operationTotals } from '../../support/run-files.js';
import { type Finished, run, type ScenarioFile } from '../../support/swarmbench.js';

type Stats = ReturnType<Awaited<ReturnType<typeof startReferenceServer>>['stats']>;

function calling(tool: string, args: ScenarioFile, transport: string, more: ScenarioFile): ScenarioFile {
  return {
    profile: 'low-load',
    clients: 3,
    transport,
    arrivals: { rate: '20/s' },
    operations: [{ tool, arguments: args }],
    ...more,
  };
}

/** A tool for each transport, by which the server's counts are assigned to it. */
export const toolOf = { 'streamable-http': 'echo', websocket: 'sleep', tcp: 'payload', sdk: 'random_latency' } as const;

/** Profiles of one run over several transports: `web`, `socket`, `line` and `official`. */
export const overAll = {
  workload: {
    web: calling(toolOf['streamable-http'], { message: '{{ text 32 }}' }, 'streamable-http', { connections: 1 }),
    socket: calling(toolOf.websocket, { ms: 5 }, 'websocket', { maxInFlight: 4 }),
    line: calling(toolOf.tcp, { bytes: 2000 }, 'tcp', {
      pipeline: 2,
      session: { mode: 'churn', every: '5 operations' },
    }),
    official: calling(toolOf.sdk, { medianMs: 2, sigma: 0.1 }, 'sdk', {
      connections: 2,
      session: { mode: 'churn', every: '5 operations' },
    }),
  },
  // Over as soon as the last of them is at work, however long a busy machine takes to load the SDK.
  stages: [{ name: 'steady', duration: '60s' }],
  stopWhen: [{ check: 'throughput{profile="official"} > 5/s', window: '2s' }],
  // Enough for every answer however busy the machine: the drain ends with the last one.
  drain: '20s',
};

interface TransportEvidence extends Finished {
  /** What the server says of the run when it is over. */
  readonly stats: Stats;
  /** By tool: answered by the server without the trial calls of the preflight, and counted by the generator. */
  readonly counts: Readonly<Record<string, readonly [answered: number, succeeded: number]>>;
}

/** The run against a reference server of its own, which counts by itself. */
export async function runOverAll(era: 'legacy' | 'modern'): Promise<TransportEvidence> {
  const server = await startReferenceServer({
    host: '127.0.0.1',
    port: 0,
    streamPort: 0,
    id: 'one',
    era: 'both',
    answers: 'json',
    sessions: 'stateful',
    sessionTtlMs: 60_000,
    maxSessions: 1000,
    seed: 1,
  });
  try {
    const url = [
      `http://127.0.0.1:${server.port}/mcp`,
      `ws://127.0.0.1:${server.streamPort}/mcp`,
      `tcp://127.0.0.1:${server.streamPort}`,
    ];
    const finished = await run({ scenario: { name: 'transports', target: { server: { url }, era }, ...overAll } });
    const stats = server.stats();
    const totals = operationTotals(finished.telemetry);
    const trials = eventsOf(finished.events, 'preflight.passed').flatMap(({ exchanges }) => exchanges);
    const counts = Object.fromEntries(
      Object.values(toolOf).map((tool) => {
        const tried = trials.filter(({ step }) => step.endsWith(`tools/call ${tool}`)).length;
        return [tool, [(stats.tools[tool]?.ok ?? 0) - tried, totals.get(tool)?.succeeded ?? 0] as const];
      }),
    );
    return { ...finished, stats, counts };
  } finally {
    await server.close(0);
  }
}

export const legacyRun = once(() => runOverAll('legacy'));
