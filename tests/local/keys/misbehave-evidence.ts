import { startWireServer, type WireLog } from '../../servers/wire-server.js';
import { run, type Finished, type ScenarioFile } from '../../support/swarmbench.js';

/** A finished run and every byte its target saw of it. */
export interface WireEvidence extends Finished {
  readonly log: WireLog;
}

async function observe(profile: ScenarioFile, duration: string): Promise<WireEvidence> {
  const { url, log } = await startWireServer();
  const scenario = {
    name: 'misbehaving',
    workload: { caller: { profile: 'low-load', ...profile } },
    stages: [{ name: 'steady', duration }],
    thresholds: ['errors.rate < 50%'],
    drain: '6s',
  };
  return { ...(await run({ scenario, target: url })), log };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

/** One run a kind of misbehaviour, all at once: in none of them does time matter, but for who came first. */
export const misbehavingRuns = once(async () => {
  const echo = { operations: [{ tool: 'echo' }], connections: 1, maxInFlight: 1 };
  const [aborting, malforming, allMalformed, writing, idling, storming, scattered] = await Promise.all([
    observe({ clients: 2, arrivals: { rate: '8/s' }, operations: [{ tool: 'slow', weight: 5 }, { tool: 'long' }], misbehave: { abort: '60%' } }, '3s'),
    observe({ clients: 2, arrivals: { rate: '20/s' }, operations: [{ tool: 'echo' }], misbehave: { malformed: { share: '50%', oversize: '2 MiB' } } }, '3s'),
    observe({ ...echo, clients: 1, arrivals: { rate: '20/s' }, misbehave: { malformed: { share: '100%', kinds: ['broken-json', 'unknown-method'] } } }, '1s'),
    observe({ ...echo, clients: 1, thinkTime: '0ms', misbehave: { writeRate: '2 KiB/s' } }, '4s'),
    observe({ ...echo, clients: 3, misbehave: { idle: '1200ms' } }, '4s'),
    observe({ ...echo, clients: 4, arrivals: { rate: '20/s' }, misbehave: { reconnect: { every: '1s' } } }, '3500ms'),
    observe({ ...echo, clients: 4, arrivals: { rate: '20/s' }, misbehave: { reconnect: { every: '1s', together: false, session: 'new' } } }, '3500ms'),
  ]);
  return { aborting, malforming, allMalformed, writing, idling, storming, scattered };
});

/** How often the report says that this was done, by what came of it; {} when it says nothing of the kind. */
export function reactions({ report }: WireEvidence, kind: string): Readonly<Record<string, number>> {
  const deed = report.misbehaviour.find((one) => one.kind === kind);
  return Object.fromEntries((deed?.reactions ?? []).map(({ reaction, count }) => [reaction, count]));
}

export function done({ report }: WireEvidence, kind: string): number {
  return report.misbehaviour.find((one) => one.kind === kind)?.done ?? 0;
}
