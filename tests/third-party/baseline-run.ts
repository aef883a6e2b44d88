/** `swarmbench run baseline`, as a user makes it, and single calls, against a server of somebody else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { negotiate } from '../../client-sim/preflight/negotiate.js';
import type { Endpoint } from '../../client-sim/protocol/messages.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { eventsOf, operationTotals, readRun } from '../support/run-files.js';
import { swarmbench } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { ChannelProbe } from '../support/transport/channel-probe.js';

interface BaselineRun {
  /** What the preflight found. */
  readonly era: string | undefined;
  readonly sessions: boolean | undefined;
  /** By operation. */
  readonly succeeded: Readonly<Record<string, number>>;
}

/** Two clients are enough to see that a server and we understand each other. */
const FEW = [
  ...['--set', 'workload.steady.clients=2', '--set', 'workload.steady.timeout=60s', '--set', 'drain=60s'],
  ...['--workers', '1', '--threads', '1', '--quiet'],
];

interface RunOptions {
  /** Of load; a server whose handshake is slow needs some until it has any. */
  readonly seconds?: number;
  /** Calls may fail, such as those with made-up arguments. */
  readonly mayFail?: boolean;
}

/**
 * Every call must be answered; how many could be made in that time, and what the verdict says of it, is the machine's
 * business.
 * @param args what names the server, and more options
 */
export async function runBaseline(
  args: readonly string[],
  { seconds = 1, mayFail = false }: RunOptions = {},
): Promise<BaselineRun> {
  const results = join(tempFolder(), 'results');
  const stages = ['--set', `stages=[{ name: steady, duration: ${seconds}s }]`];
  const { code, stdout, stderr } = await swarmbench(['run', 'baseline', '--out', results, ...FEW, ...stages, ...args]);
  expect([stdout + stderr, [0, 4, 99].includes(Number(code))]).toEqual([stdout + stderr, true]);
  const { report, events, telemetry } = readRun(results);
  const { failed, succeeded: answered } = report.summary;
  const isFine = answered > 0 && (mayFail || failed === 0);
  expect([stdout + stderr, isFine]).toEqual([stdout + stderr, true]);
  const [passed] = eventsOf(events, 'preflight.passed');
  const totals = [...operationTotals(telemetry)].map(([name, { succeeded }]) => [name, succeeded] as const);
  return { era: passed?.pinned.era, sessions: passed?.pinned.sessions, succeeded: Object.fromEntries(totals) };
}

/** In place of tools/list alone: the tool that counts, too. */
export const ECHO = [
  '--set',
  'workload.steady.operations=[{ list: tools }, { tool: echo, arguments: { message: "{{ text 8 }}" } }]',
];

const echo: OperationPlan = {
  name: 'echo',
  method: 'tools/call',
  params: { kind: 'constant', json: JSON.stringify({ name: 'echo', arguments: { message: 'größe "quoted"' } }) },
  weight: 1,
  target: 'echo',
};

/** Calls `echo` 24 times in one session, and expects an answer to each. @returns what the handshake found */
export async function callEcho(
  endpoint: Endpoint,
  transport: TransportName,
  era: 'auto' | 'legacy',
): Promise<{ readonly era: string; readonly sessions: boolean; readonly calls: number }> {
  const found = await negotiate(endpoint, era, { transport });
  if (!found.ok) throw new Error(found.problem);
  const { pinned, session } = found;
  await session.close();
  const { url, headers: _headers, ...more } = endpoint;
  const probe = await new ChannelProbe(url, { ...more, transport, pinned }).open();
  expect(probe.openFailure).toBeUndefined();
  for (let round = 0; round < 24; round++) expect(await probe.call(1, echo)).toEqual(['correct']);
  await probe.close('delete');
  return { era: pinned.era, sessions: pinned.sessions, calls: probe.outcomes.length };
}

/** The file to which a server adds a byte for each call. */
export interface CallCounter {
  readonly file: string;
  /** Calls so far. */
  readonly calls: () => number;
}

export function countCalls(): CallCounter {
  const file = join(tempFolder(), 'calls');
  writeFileSync(file, '');
  return { file, calls: () => readFileSync(file).length };
}
