/** Faults on this machine: each kind strikes, is seen, and is undone; whatever dies in the middle. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../harness/log/events.js';
import { readOrders, readState, readTopology } from '../../harness/platform/local/faults/fault-files.js';
import { statFields } from '../../harness/platform/proc-stat.js';
import { startHarness } from '../support/harness.js';
import { withoutMachineReasons } from '../support/machine-reasons.js';
import { once } from '../support/once.js';
import { isAlive } from '../support/program.js';
import { eventsOf, readEvents, readRun, runFolder } from '../support/run-files.js';
import { run, type ScenarioFile, simpleScenario, startRun, swarmbench } from '../support/swarmbench.js';
import { until } from '../support/until.js';

const replicas = { target: { server: 'reference', replicas: 4 } };
const callers = { clients: 8, arrivals: { rate: '10/s' }, timeout: '2s', maxInFlight: 8, connections: 2 };

function withFaults(seconds: number, faults: readonly ScenarioFile[], more: ScenarioFile = {}): ScenarioFile {
  return simpleScenario(callers, seconds, { ...replicas, faults, ...more });
}

const kinds: readonly ScenarioFile[] = [
  { at: '3s', kind: 'kill', replica: 2 },
  { at: '3s', kind: 'partition', replica: 1, for: '2500ms' },
  { at: '3s', kind: 'pause', replica: 3, for: '1s' },
  { at: '6s', kind: 'delay', delay: { from: '0ms', to: '80ms' }, jitter: '5ms', replica: 4, for: '2s' },
  { at: '6s', kind: 'reset', replica: 1, for: '1s' },
  { at: '6s', kind: 'rate', rate: '20 kB/s', replica: 3, for: '1s' },
  { at: '9s', kind: 'restart', replica: 'reference-4' },
  { at: '9s', kind: 'stop', replica: 1, for: '1s' },
  { at: '9s', kind: 'partition', direction: 'out', replica: 3, for: '2500ms' },
  { at: '13s', kind: 'kill', serving: true, name: 'busiest', for: '500ms' },
  { at: '17s', kind: 'scale', replicas: 3, for: '1s' },
];
/** The folder of a run goes with the test that made it, so its files are read at once. */
const everyKind = once(async () => {
  const made = await run({ scenario: withFaults(22, kinds) });
  const { folder } = made;
  return { ...made, topology: readTopology(folder), orders: readOrders(folder), state: readState(folder) };
});

function named(events: readonly RunEvent[], name: string): string {
  return eventsOf(events, 'fault.started').find((event) => event.name === name)?.faultId ?? '';
}

describe('every kind', () => {
  test('is journalled, ordered, witnessed, undone and verified, and the run is valid', async () => {
    const { events, report } = await everyKind();
    expect(report.faults.map(({ problem, unwitnessed, left }) => [problem, unwitnessed, left])).toEqual(
      kinds.map(() => [undefined, undefined, []]),
    );
    for (const { faultId } of eventsOf(events, 'fault.started')) {
      const own = events.flatMap((event) =>
        'faultId' in event && event.faultId === faultId
          ? [event.type === 'fault.settled' ? event.phase : event.type]
          : [],
      );
      expect(own).toEqual(['fault.started', 'fault.ordered', 'injected', 'fault.ended', 'fault.undone', 'undone']);
    }
    expect(report.verdict.kind).toBe('passed');
  });

  test.each([
    ['kill', /reference-2 ended with SIGKILL/],
    ['partition', /reference-1 gave no answer for \d+ ms, and without its proxy within/],
    ['pause', /reference-3 (?:is stopped|gave no answer)/],
    ['delay', /RTT to reference-4 .* ms without its proxy/],
    ['reset', /reset/],
    ['rate', /reference-3 sent \d+ B\/s of at most 20000 B\/s/],
    ['restart', /reference-4 ended with exit code 0/],
    ['stop', /reference-1 ended with exit code 0/],
    ['busiest', /reference-\d ended with SIGKILL/],
    ['scale', /reference-4 ended with exit code 0/],
  ])('%s has a witness from where the requests pass', async (name, evidence) => {
    const { report } = await everyKind();
    expect(report.faults.find((fault) => fault.name === name)?.evidence).toMatch(evidence);
  });

  test('a replica that was ended is another process afterwards, and ends with the run', async () => {
    const { events, topology } = await everyKind();
    const started = eventsOf(events, 'program.started').filter(({ program }) => program.role !== 'worker');
    expect(started.map(({ program }) => program.name).toSorted()).toEqual(
      [...Array.from({ length: 4 }, (_, at) => `reference-${at + 1}`), 'fault-helper', 'reference-2', 'reference-4']
        .concat('reference-1', 'reference-4', busiest(events))
        .toSorted(),
    );
    expect(started.filter(({ program }) => isAlive(program.pid))).toEqual([]);
    expect(topology?.replicas).toHaveLength(4);
  });

  test('leaves no order to the helper, and no connection held back', async () => {
    const { orders, state } = await everyKind();
    expect(orders).toMatchObject({ rules: [], paused: [] });
    expect(Object.values(state?.proxies ?? {}).map(({ heldBytes }) => heldBytes)).toEqual([0, 0, 0, 0]);
  });

  test('the environment says what the proxies add', async () => {
    const { report } = await everyKind();
    expect(JSON.stringify(report.environment)).toMatch(/ms through a proxy, .* ms without/);
  });
});

function busiest(events: readonly RunEvent[]): string {
  const id = named(events, 'busiest');
  return eventsOf(events, 'fault.started').find(({ faultId }) => faultId === id)?.replicas?.[0] ?? '';
}

describe('a killed replica', () => {
  const killed = once(async () => {
    const made = await run({
      scenario: withFaults(9, [{ at: '4s', kind: 'kill', replica: 2, for: '2s' }], {
        thresholds: [
          'errors.count{phase="before"} == 0',
          'errors.count{phase="fault"} > 0',
          'errors.rate{phase="fault",fault="kill"} < 60%',
          'fault.unavailability > 100ms',
        ],
      }),
    });
    const text = (name: string): string => readFileSync(join(made.folder, name), 'utf8');
    return { ...made, page: text('report.html'), markdown: text('report.md') };
  });

  test('fails the requests to it, and no other', async () => {
    const { report, telemetry } = await killed();
    expect(withoutMachineReasons(report.verdict.reasons)).toEqual([]);
    const [fault] = report.faults;
    const { before, fault: during, recovery } = fault?.effects?.phases ?? {};
    expect(before?.failed).toBe(0);
    const failed = (during?.failed ?? 0) + (recovery?.failed ?? 0) + (during?.lost ?? 0) + (recovery?.lost ?? 0);
    expect(failed).toBe(report.summary.failed + report.summary.lost);
    const byReplica = new Map<string, number>();
    for (const { batch } of telemetry)
      for (const row of batch.replicas ?? [])
        byReplica.set(row.replica, (byReplica.get(row.replica) ?? 0) + row.failed);
    expect(['reference-1', 'reference-3', 'reference-4'].map((id) => byReplica.get(id))).toEqual([0, 0, 0]);
    expect(byReplica.get('reference-2')).toBeGreaterThan(0);
  });

  test('is in the page and in Markdown, with its bins', async () => {
    const { page, markdown, report } = await killed();
    expect(page).toContain('id="fault-f1"');
    expect(page).toMatch(/Operations by the phase in which they were due/);
    expect(markdown).toMatch(/\| f1 kill \|/);
    const bins = report.faults[0]?.effects?.bins;
    const due = bins?.due.reduce((sum, count) => sum + count, 0) ?? 0;
    expect(due).toBeGreaterThan(0.9 * 8 * 10 * 7);
  });
});

describe('an undo is certain', () => {
  const leftAlive: number[] = [];
  afterAll(() => {
    for (const pid of leftAlive) if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
  });
  const paused = withFaults(120, [{ at: '1s', kind: 'pause', replica: 1, for: '100s' }]);

  function pausedPid(results: string): number {
    return readTopology(runFolder(results))?.replicas[0]?.pid ?? 0;
  }
  function isStopped(pid: number): boolean {
    return statFields(pid)?.[0] === 'T';
  }

  test('when the command line is killed: the helper releases, and heal says so', async () => {
    const { program, results } = startRun({ scenario: paused });
    await until('the pause', () => eventsSoFar(results).some(({ type }) => type === 'fault.settled'));
    const pid = pausedPid(results);
    for (const { program: own } of eventsOf(eventsSoFar(results), 'program.started')) leftAlive.push(own.pid);
    expect(isStopped(pid)).toBe(true);
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    // Its lease of 10 s, and some time.
    await until('the release', () => !isStopped(pid));
    const { code, stdout } = await swarmbench(['heal', '--out', results]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/fault f1 \(pause: reference-1\) is undone/)]);
    expect((await swarmbench(['heal', '--out', results])).stdout).toBe('nothing to undo\n');
  });

  test('when the helper is killed: by the second way, and the report says so', async () => {
    const scenario = withFaults(8, [{ at: '2s', kind: 'pause', replica: 1, for: '2s' }]);
    const { program, results } = startRun({ scenario });
    await until('the pause', () => eventsSoFar(results).some(({ type }) => type === 'fault.settled'));
    process.kill(readState(runFolder(results))?.pid ?? 0, 'SIGKILL');
    await program.ended;
    const { report } = readRun(results);
    expect(report.faults[0]).toMatchObject({ undoForced: true, left: [] });
    expect(report.faults[0]?.undo?.convergenceSeconds).not.toBeNull();
  });

  test('when faults are halted over the API: the load goes on, and the run is invalid', async () => {
    const scenario = withFaults(12, [
      { at: '2s', kind: 'pause', replica: 1, for: '9s' },
      { at: '8s', kind: 'kill', replica: 2 },
    ]);
    const { url, tokenFile, results } = await startHarness();
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${readFileSync(tokenFile, 'utf8')}`,
    };
    const post = (path: string, body: unknown): Promise<Response> =>
      fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect((await post('/runs', { scenario: JSON.stringify(scenario) })).status).toBe(201);
    await until('the pause', () => eventsSoFar(results).some(({ type }) => type === 'fault.settled'));
    const answer = await post('/faults/halt', {});
    expect([answer.status, ((await answer.json()) as { runs: string[] }).runs.length]).toEqual([202, 1]);
    await until('the undo', () => eventsSoFar(results).some(({ type }) => type === 'fault.undone'));
    await until('the report', () => existsSync(join(runFolder(results), 'report.json')));
    const { events, report } = readRun(results);
    expect(eventsOf(events, 'fault.ended').map(({ reason }) => reason)).toEqual(['halted']);
    expect(eventsOf(events, 'fault.started')).toHaveLength(1);
    expect(report.verdict).toEqual({
      kind: 'invalid',
      reasons: expect.arrayContaining(['its faults were ended before their time by the API']),
    });
  });
});

function eventsSoFar(results: string): readonly RunEvent[] {
  try {
    return readEvents(runFolder(results));
  } catch {
    return [];
  }
}
