import { startWireServer, type WireLog } from '../../servers/wire-server.js';
import { once } from '../../support/once.js';
import { type Finished, run, type ScenarioFile } from '../../support/swarmbench.js';

/** A finished run and every byte that its target saw of it. */
export interface WireEvidence extends Finished {
  readonly log: WireLog;
}

async function observe(profile: ScenarioFile, duration: string): Promise<WireEvidence> {
  const { url, log } = await startWireServer();
  const scenario = {
    name: 'misbehaving',
    workload: { caller: { profile: 'low-load', timeout: '20s', ...profile } },
    stages: [{ name: 'steady', duration }],
    thresholds: ['errors.rate < 50%'],
    drain: '20s',
  };
  return { ...(await run({ scenario, target: url })), log };
}

const oneAtATime = { operations: [{ tool: 'echo' }], connections: 1, maxInFlight: 1 };

/**
 * One run for each kind of misbehaviour, four at the same time. Where shares and kinds are counted, a rate decides how
 * many operations there are and the seed which of them misbehave; a closed loop would leave the number to the machine.
 */
export const misbehavingRuns = once(async () => {
  const [aborting, resetting, malforming, allMalformed] = await Promise.all([
    observe(
      {
        clients: 4,
        arrivals: { rate: '5/s' },
        connections: 4,
        maxInFlight: 4,
        operations: [{ tool: 'slow', weight: 5 }, { tool: 'long' }],
        misbehave: { abort: '60%' },
      },
      '4s',
    ),
    observe(
      {
        clients: 2,
        arrivals: { rate: '20/s' },
        connections: 10,
        maxInFlight: 10,
        operations: [{ tool: 'slow' }],
        misbehave: { abort: { share: '50%', kinds: ['after-request'], how: 'reset' } },
      },
      '3s',
    ),
    observe(
      {
        ...oneAtATime,
        clients: 4,
        arrivals: { rate: '20/s' },
        misbehave: { malformed: { share: '50%', oversize: '2 MiB' } },
      },
      '4s',
    ),
    observe(
      {
        ...oneAtATime,
        clients: 2,
        thinkTime: '40ms',
        misbehave: { malformed: { share: '100%', kinds: ['broken-json', 'unknown-method'] } },
      },
      '2s',
    ),
  ]);
  const [writing, idling, storming, scattered] = await Promise.all([
    observe({ ...oneAtATime, clients: 1, thinkTime: '0ms', misbehave: { writeRate: '2 KiB/s' } }, '4s'),
    observe({ ...oneAtATime, clients: 3, misbehave: { idle: '1200ms' } }, '4s'),
    observe({ ...oneAtATime, clients: 4, thinkTime: '40ms', misbehave: { reconnect: { every: '1s' } } }, '3500ms'),
    observe(
      {
        ...oneAtATime,
        clients: 4,
        thinkTime: '40ms',
        misbehave: { reconnect: { every: '1s', together: false, session: 'new' } },
      },
      '3500ms',
    ),
  ]);
  return { aborting, resetting, malforming, allMalformed, writing, idling, storming, scattered };
});

/** How often the report counts a kind of misbehaviour, by the reaction of the server; {} when it counts none. */
export function reactions({ report }: WireEvidence, kind: string): Readonly<Record<string, number>> {
  const found = report.misbehaviour.find((one) => one.kind === kind);
  return Object.fromEntries((found?.reactions ?? []).map(({ reaction, count }) => [reaction, count]));
}

export function countOf({ report }: WireEvidence, kind: string): number {
  return report.misbehaviour.find((one) => one.kind === kind)?.done ?? 0;
}
