/** `run --on swarm` on a real engine: from nothing to a report and back to nothing, with one stack for all runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { findStack, labelOf } from '../../harness/platform/swarm/stack/stack-objects.js';
import { readEvents } from '../support/run-files.js';
import { dockerOfTests } from '../support/swarm/own-stack.js';
import { describeOnSwarm, engine } from '../support/swarm/swarm.js';
import { countedScenario, simpleScenario } from '../support/swarmbench.js';
import { until } from '../support/until.js';
import { describeChangedServer } from './run/changed-server.js';
import { describeReplicaFaults } from './run/replica-faults.js';
import { describeTimeline } from './run/timeline.js';
import { RunStack } from './support/run-stack.js';

const NAME = 'swarmbench-run';

const activitySchema = z.looseObject({
  replicas: z.array(z.looseObject({ task: z.string(), sessions: z.number() })),
});

await describeOnSwarm('run --on swarm', 'engine', () => {
  const stack = new RunStack(NAME);
  beforeAll(() => stack.prepare(), 300_000);
  afterAll(() => stack.remove(), 240_000);

  test('deploys what is missing, runs, and fetches a report with the node, slot and task of everything', async () => {
    const program = stack.run(
      countedScenario({ clients: 6, arrivals: { rate: '20/s' } }, 8, { target: { server: 'reference', replicas: 3 } }),
      ...['--workers', '2'],
    );
    await program.ended;
    const report = stack.report(program);
    // A busy machine may hold up the generator; the counts are right all the same.
    expect(['passed', 'invalid']).toContain(report.verdict.kind);
    expect(report.summary).toMatchObject({ offered: 480, sent: 480, succeeded: 480, failed: 0, lost: 0 });
    expect(program.stderr()).toMatch(/swarmbench-run came up in .*\n[^]*starting the load[^]*downloading the results/);

    const workers = report.workers.toSorted((a, b) => (a.place?.slot ?? 0) - (b.place?.slot ?? 0));
    expect(workers.map(({ place, slots }) => ({ place, slots }))).toEqual(
      [1, 2].map((slot) => ({
        place: { service: 'client-sim-normal', slot, task: expect.stringMatching(/^[0-9a-z]{25}$/), node: stack.node },
        slots: 3,
      })),
    );
    expect(report.replicas).toEqual(
      [1, 2, 3].map((slot) =>
        expect.objectContaining({
          id: `mcp-server.${slot}`,
          node: stack.node,
          slot,
          task: expect.stringMatching(/^[0-9a-z]{25}$/),
          url: expect.stringMatching(/^http:\/\/10\.[\d.]+:3000\/mcp$/),
          cpu: expect.objectContaining({ worst: expect.any(Number) }),
          memoryBytes: expect.objectContaining({ worst: expect.any(Number) }),
          sentBytesPerSecond: expect.objectContaining({ worst: expect.any(Number) }),
        }),
      ),
    );
    expect(report.environment).toMatchObject({
      platform: 'swarm',
      stack: NAME,
      nodes: expect.arrayContaining([
        expect.objectContaining({ name: stack.node, engine: expect.any(String), kernel: expect.any(String) }),
      ]),
      images: { 'mcp-server': expect.stringMatching(/@sha256:/) },
    });
    expect(report.run.command).toMatch(/^swarmbench run .*--on swarm/);
    await stack.expectIdle();
  }, 180_000);

  test('keeps the series of Prometheus with the run', () => {
    const { groups } = JSON.parse(readFileSync(join(stack.latest, 'metrics.json'), 'utf8')) as {
      groups: readonly { name: string; problem?: string; series: readonly { labels: Record<string, string> }[] }[];
    };
    expect(groups.filter(({ problem, series }) => problem !== undefined || series.length === 0)).toEqual([]);
    const named = (name: string): readonly string[] =>
      (groups.find((group) => group.name === name)?.series ?? []).map(({ labels }) => labels.__name__ ?? '');
    expect(named('clients')).toContain('mcp_client_requests_total');
    expect(named('servers')).toContain('mcp_server_requests_total');
    expect(named('containers')).toContain('container_cpu_usage_seconds_total');
    expect(readdirSync(stack.latest)).toEqual(
      expect.arrayContaining(['events.jsonl', 'telemetry.jsonl', 'report.html', 'junit.xml']),
    );
  });

  test('loses sessions behind a gateway with sticky: none, and reports it', async () => {
    const target = { server: 'reference', replicas: 2, era: 'legacy', gateway: { sticky: 'none' } };
    // All of so few calls may be lost: without a threshold on errors there would be nothing to judge.
    const thresholds = ['errors.rate < 1%'];
    const program = stack.run(simpleScenario({ clients: 4, arrivals: { rate: '5/s' } }, 4, { target, thresholds }));
    await program.ended;
    const report = stack.report(program);
    // The loss is what this measures, so it does not spoil the measurement.
    expect(['passed', 'failed']).toContain(report.verdict.kind);
    expect(report.summary.failed).toBeGreaterThan(0);
    expect(
      report.errors
        .map(({ category }) => category)
        .filter((category) => category === 'session_lost' || category === 'http_404'),
    ).not.toEqual([]);
    expect(report.preflight?.ok).toBe(true);
    expect(report.affinity?.perProfile[0]).toMatchObject({ sticky: 'none', era: 'legacy' });
    expect(report.affinity?.moved).toBeGreaterThan(0);
    expect(report.affinity?.unknown).toBeGreaterThan(0);
    expect(report.affinity?.perReplica.map(({ replica }) => replica)).toEqual(['mcp-server.1', 'mcp-server.2']);
    await stack.expectIdle();
  }, 240_000);

  test('compares all kinds of stickiness in one report', async () => {
    const program = stack.run('session-affinity', '--time-scale', '0.12');
    await program.ended;
    const report = stack.report(program);
    const { perProfile, perReplica } = report.affinity ?? { perProfile: [], perReplica: [] };
    expect(perProfile.map(({ profile, sticky, era }) => [profile, sticky, era])).toEqual([
      ['by-session', 'session', 'legacy'],
      ['by-cookie', 'cookie', 'legacy'],
      ['by-source', 'source', 'legacy'],
      ['by-nothing', 'none', 'legacy'],
      ['stateless', 'none', 'modern'],
    ]);
    const [bySession, byCookie, bySource, byNothing, stateless] = perProfile;
    // By source, clients of one worker are at one replica; the plan decides how many workers there are.
    for (const kept of [bySession, byCookie, bySource]) {
      expect(kept).toMatchObject({ moved: 0, moves: 0, unknown: 0, lost: 0 });
      expect(kept?.succeeded).toBeGreaterThan(0);
    }
    expect(bySession?.perReplica.length).toBeGreaterThan(1);
    expect(byCookie?.perReplica.length).toBeGreaterThan(1);
    expect(byNothing?.moved).toBeGreaterThan(0);
    expect((byNothing?.lost ?? 0) + (byNothing?.refused ?? 0)).toBeGreaterThan(0);
    expect(stateless?.moved).toBeGreaterThan(0);
    expect(stateless).toMatchObject({ unknown: 0, lost: 0 });
    expect(perReplica.map(({ replica }) => replica)).toEqual(['mcp-server.1', 'mcp-server.2', 'mcp-server.3']);
    // How fast a busy machine answers does not matter here.
    expect(
      report.thresholds.filter(
        ({ metric, passed }) => (metric === 'affinity.moved' || metric === 'sessions.lost') && !passed,
      ),
    ).toEqual([]);
    await stack.expectIdle();
  }, 150_000);

  test('moves no session behind a gateway with sticky: session, while the harness is killed', async () => {
    const target = { server: 'reference', replicas: 2, era: 'legacy' };
    const program = stack.run(countedScenario({ clients: 4, arrivals: { rate: '20/s' } }, 10, { target }));
    await program.wrote(/00:0\d steady/, 60_000);
    const docker = dockerOfTests();
    const [harness] = await docker.listContainers({
      filters: { label: [labelOf(NAME), `com.docker.swarm.service.name=${NAME}_harness`] },
    });
    await docker.getContainer(harness?.Id ?? '').kill();
    await program.ended;
    const report = stack.report(program);
    expect(report.summary).toMatchObject({
      offered: 400,
      succeeded: 400,
      failed: 0,
      sessions: { opened: expect.any(Number), lost: 0 },
    });
    expect(report.affinity).toMatchObject({ sessions: 4, moved: 0, moves: 0, unknown: 0, unattributed: 0 });
    expect(readEvents(stack.latest).map(({ type }) => type)).toContain('run.adopted');
    // The new harness finds by itself what the previous one had scaled.
    for (const giveUpAt = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
      try {
        await stack.expectIdle();
        break;
      } catch (error) {
        if (Date.now() > giveUpAt) throw error;
      }
    }
  }, 120_000);

  test('is stopped by an interrupt, writes a report, and leaves the stack idle', async () => {
    const sessions = async (): Promise<ReadonlyMap<string, number>> => {
      const { replicas } = activitySchema.parse(await stack.ask('/cluster/status'));
      return new Map(replicas.map(({ task, sessions: count }) => [task, count]));
    };
    // The servers still have the sessions that clients of the runs before have lost.
    const before = await sessions();
    const target = { server: 'reference', replicas: 2, era: 'legacy' };
    const program = stack.run(simpleScenario({ clients: 6, arrivals: { rate: '5/s' } }, 60, { target }));
    await program.wrote(/00:0\d steady/, 60_000);
    // Meanwhile the harness says where the sessions are, as the servers themselves count them.
    const during = await sessions();
    program.kill('SIGINT');
    expect(await program.ended).toBe(130);
    const report = stack.report(program);
    expect(report.verdict).toMatchObject({ kind: 'incomplete' });
    // As the gateway shared them out, which the clients saw by the replica that answered each.
    const opened = report.replicas.map(({ id, task = '' }) => ({
      task,
      opened: report.affinity?.perReplica.find(({ replica }) => replica === id)?.sessions.opened,
    }));
    expect(opened.reduce((sum, { opened: count = 0 }) => sum + count, 0)).toBe(6);
    expect([...during].map(([task, count]) => ({ task, opened: count - (before.get(task) ?? 0) }))).toEqual(opened);
    await stack.expectIdle();
    await until('the sessions of this run to be closed', async () =>
      [...(await sessions())].every(([task, count]) => count <= (before.get(task) ?? 0)),
    );
  }, 240_000);

  describeChangedServer(stack);
  describeTimeline(stack);
  describeReplicaFaults(stack);

  test('leaves nothing of the stack when it is taken down', async () => {
    const program = stack.command('down', '--stack', NAME, '--volumes');
    expect(await program.ended).toBe(0);
    const left = await findStack({ engine, name: NAME }, stack.signal);
    expect(Object.entries(left).filter(([, objects]) => objects.length > 0)).toEqual([]);
  }, 240_000);
});
