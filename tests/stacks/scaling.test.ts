/** What a run changes of the stack's own server, on a real engine: how many there are, and whose image it is. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Service } from '../../harness/platform/swarm/engine/answers.js';
import { IDLE_REPLICAS_LABEL } from '../../harness/platform/swarm/run-on-stack/scale-for-run.js';
import { labelOf } from '../../harness/platform/swarm/stack/stack-objects.js';
import { reportSchema } from '../../harness/report/schema.js';
import { startProgram } from '../support/program.js';
import { readEvents } from '../support/run-files.js';
import { offlineImages, ownStack } from '../support/swarm/own-stack.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm, engine } from '../support/swarm/swarm.js';
import { countedScenario, simpleScenario, writeScenario } from '../support/swarmbench.js';
import { makeOtherServer, OTHER_SERVER } from './support/other-server.js';

const NAME = 'swarmbench-scaling';
const COMMAND = 'harness/cli/main.js';
const signal = AbortSignal.timeout(600_000);

await describeOnSwarm('a server that is changed for a run', 'engine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-scaling-'));
  const run = join(folder, 'results', 'latest');
  let environment: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    await removeStack(NAME);
    const images = await offlineImages();
    const stack = await ownStack(NAME, join(folder, 'unused'), images);
    await makeOtherServer(images.environment.MCP_SERVER_IMAGE ?? '');
    environment = Object.fromEntries(
      Object.entries(stack.environment).filter(([key]) => /_IMAGE$|_PORT$|_REPLICAS$|^HEALTH_INTERVAL$/.test(key)),
    );
  }, 300_000);

  afterAll(async () => {
    await removeStack(NAME);
    rmSync(folder, { recursive: true, force: true });
  }, 240_000);

  const replicasOf = async (
    service: string,
  ): Promise<{ readonly replicas: number | undefined; readonly rest: string | undefined }> => {
    const { Spec } = await engine.services.inspect(`${NAME}_${service}`, signal);
    return { replicas: Spec.Mode.Replicated?.Replicas, rest: Spec.Labels[IDLE_REPLICAS_LABEL] };
  };

  test('goes from 1 to 3 replicas and back under load, and the report knows those that came and went', async () => {
    const small = [
      'target.replicas=1',
      'workload.steady.clients=4',
      'workload.steady.arrivals.rate=5/s',
      'workload.steady.session.every=10 operations',
      'stages.warm-up.duration=3s',
      'stages.before.duration=12s',
      'stages.scaled.duration=45s',
      'stages.after.duration=20s',
      'faults.0.at=15s',
      'faults.0.for=45s',
      'faults.0.replicas=3',
      'thresholds=[]',
    ];
    const program = startProgram(
      COMMAND,
      ['run', 'replica-scaling', '--on', 'swarm', '--stack', NAME, ...small.flatMap((set) => ['--set', set])],
      environment,
      folder,
    );
    await program.wrote(/fault f1 \(scale\): mcp-server: 1 to 3 replicas/, 150_000);
    await program.wrote(/fault f1 is in effect/, 60_000);
    expect(await replicasOf('mcp-server')).toEqual({ replicas: 3, rest: '2' });
    await program.ended;

    const events = readEvents(run);
    const types = events.map(({ type }) => type);
    expect(
      types.filter((type) => type === 'fault.started' || type === 'fault.ended' || type === 'fault.undone'),
    ).toEqual(['fault.started', 'fault.ended', 'fault.undone']);

    const report = reportSchema.parse(JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')));
    // A busy machine may delay the generator; what was counted and what was done must be right all the same.
    expect(['passed', 'invalid']).toContain(report.verdict.kind);
    expect(report.summary).toMatchObject({ offered: 77 * 20 });
    expect(report.faults).toMatchObject([
      {
        id: 'f1',
        kind: 'scale',
        target: 'mcp-server: 1 to 3 replicas',
        endedBy: 'time',
        convergenceSeconds: expect.any(Number),
        atSeconds: expect.any(Number),
        undoneAtSeconds: expect.any(Number),
      },
    ]);
    const [fault] = report.faults;
    expect(fault?.atSeconds).toBeGreaterThanOrEqual(14.9);
    expect(fault?.undoneAtSeconds).toBeGreaterThanOrEqual(59.9);

    expect(report.replicas.map(({ id, slot }) => [id, slot])).toEqual(
      [1, 2, 3].map((slot) => [`mcp-server.${slot}`, slot]),
    );
    const [first, ...others] = report.replicas;
    expect(first).not.toHaveProperty('cameAtSeconds');
    for (const replica of others) {
      expect(replica.task).toMatch(/^[0-9a-z]{25}$/);
      expect(replica.node).toBe((await engine.info(signal)).Name);
      expect(replica.cameAtSeconds).toBeGreaterThan(15);
    }
    // Which two go is the engine's choice; and the load may be over before a busy engine has ended them.
    const gone = report.replicas.flatMap(({ goneAtSeconds }) => goneAtSeconds ?? []);
    if (typeof fault?.undo?.convergenceSeconds === 'number') {
      expect(gone).toHaveLength(2);
      expect(Math.min(...gone)).toBeGreaterThan(fault.undoneAtSeconds ?? Infinity);
    }
    const readings = {
      cpu: expect.objectContaining({ worst: expect.any(Number) }),
      memoryBytes: expect.objectContaining({ worst: expect.any(Number) }),
      receivedBytesPerSecond: expect.anything(),
      sentBytesPerSecond: expect.anything(),
    };
    for (const replica of report.replicas) expect(replica).toMatchObject(readings);
    const sources = new Map(report.usage.map(({ id, source }) => [id, source]));
    for (const id of ['mcp-server.1', 'mcp-server.2', 'mcp-server.3', 'client-sim-normal.1'])
      expect([id, sources.get(id)]).toEqual([id, 'metrics.json']);
    const [page, written] = ['report.html', 'report.json'].map((name) => readFileSync(join(run, name), 'utf8'));
    expect(page).toContain('class="shade"');

    const again = startProgram(COMMAND, ['report', run], environment, folder);
    expect(await again.ended).toBe(0);
    expect(readFileSync(join(run, 'report.json'), 'utf8')).toBe(written);

    expect(await replicasOf('mcp-server')).toEqual({ replicas: 2, rest: undefined });
  }, 400_000);

  test("is the user's image behind the gateway during the run, and the stack's own server after it", async () => {
    const before = await serverAndGateway();
    const { image, port, path, name } = OTHER_SERVER;
    const scenario = countedScenario(
      {
        clients: 4,
        arrivals: { rate: '10/s' },
        operations: [{ tool: 'add', arguments: { a: 2, b: '{{ int 1 9 }}' } }],
      },
      6,
      { target: { server: { image, port, path }, replicas: 2 } },
    );
    const program = startProgram(
      COMMAND,
      ['run', writeScenario(scenario, folder), '--on', 'swarm', '--stack', NAME],
      environment,
      folder,
    );
    await program.wrote(/preflight: \S+ \S+ answers/, 150_000);
    const { server, config } = await serverAndGateway();
    expect(server.TaskTemplate.ContainerSpec?.Image).toMatch(/^swarmbench-test\/other-server:1/);
    expect(server.Labels).toMatchObject({ 'swarmbench.mcp.port': String(port), 'swarmbench.mcp.path': path });
    expect(config).toContain(`tasks.mcp-server:${port}`);
    await program.ended;

    const report = reportSchema.parse(JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')));
    expect(['passed', 'invalid']).toContain(report.verdict.kind);
    expect(report.summary).toMatchObject({ offered: 120, succeeded: 120, failed: 0 });
    expect(report.environment).toMatchObject({
      server: { name, version: '7.0.0' },
      images: { 'mcp-server': expect.stringMatching(/^swarmbench-test\/other-server:1/) },
    });
    expect(report.replicas.map(({ url }) => url)).toEqual(
      [1, 2].map(() => expect.stringMatching(new RegExp(`^http://10[.0-9]+:${port}${path}$`))),
    );
    expect(await serverAndGateway()).toEqual(before);
  }, 300_000);

  test("an image that no registry has ends the run with the engine's message, and the stack is as before", async () => {
    const before = await serverAndGateway();
    const scenario = simpleScenario({}, 5, { target: { server: { image: 'swarmbench-test/nowhere:1' } } });
    const program = startProgram(
      COMMAND,
      ['run', writeScenario(scenario, folder), '--on', 'swarm', '--stack', NAME],
      environment,
      folder,
    );
    expect(await program.ended).not.toBe(0);
    expect(program.stderr() + program.stdout()).toMatch(/swarmbench-test\/nowhere:1/);
    expect(await serverAndGateway()).toEqual(before);
  }, 200_000);

  /** As the engine has them, but for what it counts itself. */
  async function serverAndGateway(): Promise<{
    readonly server: Service['Spec'];
    readonly labels: Readonly<Record<string, string>>;
    readonly config: string;
  }> {
    const [server, gateway] = await Promise.all(
      ['mcp-server', 'gateway'].map((service) => engine.services.inspect(`${NAME}_${service}`, signal)),
    );
    const mounted = gateway?.Spec.TaskTemplate.ContainerSpec?.Configs[0]?.ConfigID;
    const configs = await engine.configs.labelled(labelOf(NAME), signal);
    const data = configs.find(({ ID }) => ID === mounted)?.Spec.Data ?? '';
    if (server === undefined || gateway === undefined) throw new Error(`the stack ${NAME} is not whole`);
    return { server: server.Spec, labels: gateway.Spec.Labels, config: Buffer.from(data, 'base64').toString() };
  }
});
