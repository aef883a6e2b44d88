/** `run --on swarm` on a real engine: from nothing to a report and back to nothing. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { IDLE_REPLICAS_LABEL } from '../../harness/platform/swarm/run-on-stack/scale-for-run.js';
import { findStack, labelOf } from '../../harness/platform/swarm/stack/stack-objects.js';
import { type Report, reportSchema } from '../../harness/report/schema.js';
import { type Program, startProgram } from '../support/program.js';
import { readEvents } from '../support/run-files.js';
import { dockerOfTests, offlineImages, ownStack } from '../support/swarm/own-stack.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm, engine } from '../support/swarm/swarm.js';
import { countedScenario, type ScenarioFile, simpleScenario, writeScenario } from '../support/swarmbench.js';

const NAME = 'swarmbench-run';
const COMMAND = 'harness/cli/main.js';
const signal = AbortSignal.timeout(600_000);

await describeOnSwarm('run --on swarm', 'engine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-run-'));
  const results = join(folder, 'results');
  let environment: Readonly<Record<string, string>> = {};
  let node = '';

  beforeAll(async () => {
    await removeStack(NAME);
    const stack = await ownStack(NAME, join(folder, 'unused'), await offlineImages());
    // As a user would set them; tokens and everything else `run` makes by itself.
    environment = Object.fromEntries(
      Object.entries(stack.environment).filter(([key]) => /_IMAGE$|_PORT$|_REPLICAS$|^HEALTH_INTERVAL$/.test(key)),
    );
    node = (await engine.info(signal)).Name;
  }, 300_000);

  afterAll(async () => {
    await removeStack(NAME);
    rmSync(folder, { recursive: true, force: true });
  }, 240_000);

  function start(scenario: ScenarioFile, args: readonly string[]): Program {
    return startProgram(
      COMMAND,
      ['run', writeScenario(scenario, folder), '--on', 'swarm', '--stack', NAME, ...args],
      environment,
      folder,
    );
  }

  /** Of the newest run. @param program ended */
  function reportOf(program: Program): Report {
    const path = join(results, 'latest', 'report.json');
    try {
      return reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (cause) {
      throw new Error(`there is no report:\n${program.stdout()}\n${program.stderr()}`, { cause });
    }
  }

  /** Nothing of a run is left: workers at 0, the target as deployed, no note of it. */
  async function expectRest(): Promise<void> {
    const services = await engine.services.labelled(labelOf(NAME), signal);
    expect(services.filter(({ Spec }) => Spec.Labels[IDLE_REPLICAS_LABEL] !== undefined)).toEqual([]);
    const replicas = (part: string): readonly (number | undefined)[] =>
      services
        .filter(({ Spec }) => Spec.Name.startsWith(`${NAME}_${part}`))
        .map(({ Spec }) => Spec.Mode.Replicated?.Replicas);
    expect(new Set(replicas('client-sim-'))).toEqual(new Set([0]));
    expect(replicas('mcp-server')).toEqual([2]);
  }

  test('deploys what is missing, runs, and fetches a report with the node, slot and task of everything', async () => {
    const program = start(
      countedScenario({ clients: 6, arrivals: { rate: '20/s' } }, 8, { target: { server: 'reference', replicas: 3 } }),
      ['--workers', '2'],
    );
    await program.ended;
    const report = reportOf(program);
    // A busy machine may hold up the generator; the counts are right all the same.
    expect(['passed', 'invalid']).toContain(report.verdict.kind);
    expect(report.summary).toMatchObject({ offered: 480, sent: 480, succeeded: 480, failed: 0, lost: 0 });
    expect(program.stderr()).toMatch(/swarmbench-run came up in .*\n[^]*starting the load[^]*downloading the results/);

    const workers = report.workers.toSorted((a, b) => (a.place?.slot ?? 0) - (b.place?.slot ?? 0));
    expect(workers.map(({ place, slots }) => ({ place, slots }))).toEqual(
      [1, 2].map((slot) => ({
        place: { service: 'client-sim-normal', slot, task: expect.stringMatching(/^[0-9a-z]{25}$/), node },
        slots: 3,
      })),
    );
    expect(report.replicas).toEqual(
      [1, 2, 3].map((slot) =>
        expect.objectContaining({
          id: `mcp-server.${slot}`,
          node,
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
        expect.objectContaining({ name: node, engine: expect.any(String), kernel: expect.any(String) }),
      ]),
      images: { 'mcp-server': expect.stringMatching(/@sha256:/) },
    });
    expect(report.run.command).toMatch(/^swarmbench run .*--on swarm/);
    await expectRest();
  }, 180_000);

  test('keeps the series of Prometheus with the run', () => {
    const { groups } = JSON.parse(readFileSync(join(results, 'latest', 'metrics.json'), 'utf8')) as {
      groups: readonly { name: string; problem?: string; series: readonly { labels: Record<string, string> }[] }[];
    };
    expect(groups.filter(({ problem, series }) => problem !== undefined || series.length === 0)).toEqual([]);
    const named = (name: string): readonly string[] =>
      (groups.find((group) => group.name === name)?.series ?? []).map(({ labels }) => labels.__name__ ?? '');
    expect(named('clients')).toContain('mcp_client_requests_total');
    expect(named('servers')).toContain('mcp_server_requests_total');
    expect(named('containers')).toContain('container_cpu_usage_seconds_total');
    expect(readdirSync(join(results, 'latest'))).toEqual(
      expect.arrayContaining(['events.jsonl', 'telemetry.jsonl', 'report.html', 'junit.xml']),
    );
  });

  test('loses sessions behind a gateway with sticky: none, and reports it', async () => {
    const target = { server: 'reference', replicas: 2, era: 'legacy', gateway: { sticky: 'none' } };
    const program = start(simpleScenario({ clients: 4, arrivals: { rate: '5/s' } }, 4, { target }), []);
    expect(await program.ended).not.toBe(0);
    const report = reportOf(program);
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
    await expectRest();
  }, 240_000);

  test('compares every way to keep sessions at their replicas in one report', async () => {
    const program = startProgram(
      COMMAND,
      ['run', 'session-affinity', '--on', 'swarm', '--stack', NAME, '--time-scale', '0.12'],
      environment,
      folder,
    );
    await program.ended;
    const report = reportOf(program);
    const { perProfile, perReplica } = report.affinity ?? { perProfile: [], perReplica: [] };
    expect(perProfile.map(({ profile, sticky, era }) => [profile, sticky, era])).toEqual([
      ['by-session', 'session', 'legacy'],
      ['by-cookie', 'cookie', 'legacy'],
      ['by-source', 'source', 'legacy'],
      ['by-nothing', 'none', 'legacy'],
      ['stateless', 'none', 'modern'],
    ]);
    const [bySession, byCookie, bySource, byNothing, stateless] = perProfile;
    // By source, clients of one worker are at one replica; how many workers there are is the plan's doing.
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
    // How fast a busy machine answers is no matter here.
    expect(
      report.thresholds.filter(
        ({ metric, passed }) => (metric === 'affinity.moved' || metric === 'sessions.lost') && !passed,
      ),
    ).toEqual([]);
    await expectRest();
  }, 150_000);

  test('moves none behind one that is sticky to sessions, over a harness that is killed in the middle', async () => {
    const target = { server: 'reference', replicas: 2, era: 'legacy' };
    const program = start(countedScenario({ clients: 4, arrivals: { rate: '20/s' } }, 10, { target }), []);
    await program.wrote(/00:0\d steady/, 60_000);
    const docker = dockerOfTests();
    const [harness] = await docker.listContainers({
      filters: { label: [labelOf(NAME), `com.docker.swarm.service.name=${NAME}_harness`] },
    });
    await docker.getContainer(harness?.Id ?? '').kill();
    await program.ended;
    const report = reportOf(program);
    expect(report.summary).toMatchObject({
      offered: 400,
      succeeded: 400,
      failed: 0,
      sessions: { opened: expect.any(Number), lost: 0 },
    });
    expect(report.affinity).toMatchObject({ sessions: 4, moved: 0, moves: 0, unknown: 0, unattributed: 0 });
    expect(readEvents(join(results, 'latest')).map(({ type }) => type)).toContain('run.adopted');
    // The new harness finds by itself what the previous one had scaled.
    for (const giveUpAt = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
      try {
        await expectRest();
        break;
      } catch (error) {
        if (Date.now() > giveUpAt) throw error;
      }
    }
  }, 120_000);

  test('is stopped by an interrupt, with a report, and leaves everything at rest', async () => {
    const program = start(simpleScenario({ arrivals: { rate: '10/s' } }, 60), []);
    await program.wrote(/00:0\d steady/, 60_000);
    program.kill('SIGINT');
    expect(await program.ended).toBe(130);
    expect(reportOf(program).verdict).toMatchObject({ kind: 'incomplete' });
    await expectRest();
  }, 240_000);

  test('leaves nothing of the stack when it is taken down', async () => {
    const program = startProgram(COMMAND, ['down', '--stack', NAME, '--volumes'], environment, folder);
    expect(await program.ended).toBe(0);
    const left = await findStack({ engine, name: NAME }, signal);
    expect(Object.entries(left).filter(([, objects]) => objects.length > 0)).toEqual([]);
  }, 240_000);
});
