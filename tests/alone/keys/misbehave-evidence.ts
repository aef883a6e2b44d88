import { startWireServer, type WireLog } from '../../servers/wire-server.js';
import { type Finished, run, type ScenarioFile } from '../../support/swarmbench.js';
import { once } from './once.js';

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
    drain: '20s',
  };
  return { ...(await run({ scenario, target: url })), log };
}

/** One run a kind of misbehaviour, three or four at once: in none of them does time matter, but for who came first. */
export const misbehavingRuns = once(async () => {
  const echo = { operations: [{ tool: 'echo' }], connections: 1, maxInFlight: 1 };
  const [aborting, resetting, malforming, allMalformed] = await Promise.all([
    observe(
      {
        clients: 4,
        thinkTime: '20ms',
        maxInFlight: 2,
        operations: [{ tool: 'slow', weight: 5 }, { tool: 'long' }],
        timeout: '20s',
        misbehave: { abort: '60%' },
      },
      '4s',
    ),
    observe(
      {
        ...echo,
        clients: 2,
        thinkTime: '40ms',
        operations: [{ tool: 'slow' }],
        timeout: '20s',
        misbehave: { abort: { share: '50%', kinds: ['after-request'], how: 'reset' } },
      },
      '3s',
    ),
    observe(
      {
        ...echo,
        clients: 4,
        thinkTime: '40ms',
        timeout: '20s',
        misbehave: { malformed: { share: '50%', oversize: '2 MiB' } },
      },
      '4s',
    ),
    observe(
      {
        ...echo,
        clients: 2,
        thinkTime: '40ms',
        timeout: '20s',
        misbehave: { malformed: { share: '100%', kinds: ['broken-json', 'unknown-method'] } },
      },
      '2s',
    ),
  ]);
  const [writing, idling, storming, scattered] = await Promise.all([
    observe({ ...echo, clients: 1, thinkTime: '0ms', timeout: '20s', misbehave: { writeRate: '2 KiB/s' } }, '4s'),
    observe({ ...echo, clients: 3, timeout: '20s', misbehave: { idle: '1200ms' } }, '4s'),
    observe(
      { ...echo, clients: 4, thinkTime: '40ms', timeout: '20s', misbehave: { reconnect: { every: '1s' } } },
      '3500ms',
    ),
    observe(
      {
        ...echo,
        clients: 4,
        thinkTime: '40ms',
        timeout: '20s',
        misbehave: { reconnect: { every: '1s', together: false, session: 'new' } },
      },
      '3500ms',
    ),
  ]);
  return { aborting, resetting, malforming, allMalformed, writing, idling, storming, scattered };
});

/** How often the report says that this was done, by what came of it; {} when it says nothing of the kind. */
export function reactions({ report }: WireEvidence, kind: string): Readonly<Record<string, number>> {
  const deed = report.misbehaviour.find((one) => one.kind === kind);
  return Object.fromEntries((deed?.reactions ?? []).map(({ reaction, count }) => [reaction, count]));
}

export function done({ report }: WireEvidence, kind: string): number {
  return report.misbehaviour.find((one) => one.kind === kind)?.done ?? 0;
}
