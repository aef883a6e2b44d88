/** What a run changes of the stack's own server: how many replicas there are, and which image it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Service } from '../../../harness/platform/swarm/engine/answers.js';
import { labelOf } from '../../../harness/platform/swarm/stack/stack-objects.js';
import { withoutMachineReasons } from '../../support/machine-reasons.js';
import { once } from '../../support/once.js';
import { readEvents } from '../../support/run-files.js';
import { engine } from '../../support/swarm/swarm.js';
import { countedScenario, simpleScenario } from '../../support/swarmbench.js';
import { makeOtherServer, OTHER_SERVER } from '../support/other-server.js';
import { queriesWithoutData, untilNothing } from '../support/queries.js';
import type { RunStack } from '../support/run-stack.js';

/** `replica-scaling` for one machine. Some operations fail on purpose, so that there are errors to be shown. */
const SMALL = [
  'target.replicas=1',
  'workload.steady.clients=4',
  'workload.steady.arrivals.rate=5/s',
  'workload.steady.session.every=10 operations',
  'workload.steady.operations=' +
    '[{ tool: echo, arguments: { message: hi }, weight: 4 }, { tool: fail, arguments: { rate: 0.5 } }]',
  'stages.warm-up.duration=3s',
  'stages.before.duration=7s',
  'stages.scaled.duration=30s',
  'stages.after.duration=15s',
  'faults.0.at=10s',
  'faults.0.for=30s',
  'faults.0.replicas=3',
  'thresholds=[latency.p95 < 30s]',
];
const OFFERED = (7 + 30 + 15) * 4 * 5;

const keptMetrics = z.looseObject({
  groups: z.array(z.looseObject({ name: z.string(), problem: z.string().optional(), series: z.array(z.unknown()) })),
});

/** On a stack that is deployed and idle. */
export function describeChangedServer(stack: RunStack): void {
  describe('with a server that is scaled under load', () => {
    const scalingRun = once(async () => {
      await stack.observe();
      const program = stack.run('replica-scaling', ...SMALL.flatMap((set) => ['--set', set]));
      await program.wrote(/fault f1 \(scale\): mcp-server: 1 to 3 replicas/, 150_000);
      await program.wrote(/fault f1 is in effect/, 60_000);
      const scaled = await stack.replicasOf('mcp-server');
      const queries = await untilNothing('queries without data', () => queriesWithoutData(stack.stack), 120_000);
      await program.ended;
      return { scaled, queries, report: stack.report(program), events: readEvents(stack.latest) };
    });

    test('it goes from 1 to 3 replicas and back, and the report names those that came and went', async () => {
      const { scaled, report, events } = await scalingRun();
      expect(scaled).toEqual({ now: 3, idle: '2' });
      const types = events.map(({ type }) => type);
      expect(
        types.filter((type) => type === 'fault.started' || type === 'fault.ended' || type === 'fault.undone'),
      ).toEqual(['fault.started', 'fault.ended', 'fault.undone']);

      // A busy machine may delay the generator; nothing else may be wrong.
      expect(['passed', 'invalid']).toContain(report.verdict.kind);
      expect(withoutMachineReasons(report.verdict.reasons)).toEqual([]);
      expect(report.summary).toMatchObject({ offered: OFFERED });
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
      expect(fault?.atSeconds).toBeGreaterThanOrEqual(9.9);
      expect(fault?.undoneAtSeconds).toBeGreaterThanOrEqual(39.9);

      expect(report.replicas.map(({ id, slot }) => [id, slot])).toEqual(
        [1, 2, 3].map((slot) => [`mcp-server.${slot}`, slot]),
      );
      const [first, ...others] = report.replicas;
      expect(first).not.toHaveProperty('cameAtSeconds');
      for (const replica of others) {
        expect(replica.task).toMatch(/^[0-9a-z]{25}$/);
        expect(replica.node).toBe(stack.node);
        expect(replica.cameAtSeconds).toBeGreaterThan(10);
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
      expect(await stack.replicasOf('mcp-server')).toEqual({ now: 2, idle: undefined });
    }, 400_000);

    test('every query of dashboards and alerts gives data under this load', async () => {
      expect((await scalingRun()).queries).toEqual([]);
    }, 400_000);

    test('every query that is kept with the run has given data', async () => {
      await scalingRun();
      const kept = keptMetrics.parse(JSON.parse(readFileSync(join(stack.latest, 'metrics.json'), 'utf8')));
      expect(kept.groups.length).toBeGreaterThan(0);
      expect(
        kept.groups
          .filter(({ series, problem }) => series.length === 0 || problem !== undefined)
          .map(({ name, problem }) => `${name}: ${problem ?? 'nothing'}`),
      ).toEqual([]);
    }, 400_000);

    test('a report that is rendered again is the same', async () => {
      await scalingRun();
      const [page, written] = ['report.html', 'report.json'].map((name) =>
        readFileSync(join(stack.latest, name), 'utf8'),
      );
      expect(page).toContain('class="shade"');
      expect(await stack.command('report', stack.latest).ended).toBe(0);
      expect(readFileSync(join(stack.latest, 'report.json'), 'utf8')).toBe(written);
    }, 60_000);
  });

  describe("with the user's own image as the server", () => {
    beforeAll(() => makeOtherServer(stack.serverImage), 120_000);

    test('the gateway reaches it at its port and path during the run, and our own server after it', async () => {
      const before = await serverAndGateway();
      const { image, port, path, name } = OTHER_SERVER;
      const operations = [{ tool: 'add', arguments: { a: 2, b: '{{ int 1 9 }}' } }];
      const target = { server: { image, port, path }, replicas: 2 };
      const program = stack.run(countedScenario({ clients: 4, arrivals: { rate: '10/s' }, operations }, 6, { target }));
      await program.wrote(/preflight: \S+ \S+ answers/, 150_000);
      const { server, config } = await serverAndGateway();
      expect(server.TaskTemplate.ContainerSpec?.Image).toMatch(/^swarmbench-test\/other-server:1/);
      expect(server.Labels).toMatchObject({ 'swarmbench.mcp.port': String(port), 'swarmbench.mcp.path': path });
      expect(config).toContain(`tasks.mcp-server:${port}`);
      await program.ended;

      const report = stack.report(program);
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

    test("an image that does not exist ends the run with the engine's message, and changes nothing", async () => {
      const before = await serverAndGateway();
      const program = stack.run(simpleScenario({}, 5, { target: { server: { image: 'swarmbench-test/nowhere:1' } } }));
      expect(await program.ended).not.toBe(0);
      expect(program.stderr() + program.stdout()).toMatch(/swarmbench-test\/nowhere:1/);
      expect(await serverAndGateway()).toEqual(before);
    }, 200_000);
  });

  /** As the engine has them, without what it counts itself. */
  async function serverAndGateway(): Promise<{
    readonly server: Service['Spec'];
    readonly labels: Readonly<Record<string, string>>;
    readonly config: string;
  }> {
    const [server, gateway] = await Promise.all(
      ['mcp-server', 'gateway'].map((service) => engine.services.inspect(`${stack.name}_${service}`, stack.signal)),
    );
    const mounted = gateway?.Spec.TaskTemplate.ContainerSpec?.Configs[0]?.ConfigID;
    const configs = await engine.configs.labelled(labelOf(stack.name), stack.signal);
    const data = configs.find(({ ID }) => ID === mounted)?.Spec.Data ?? '';
    if (server === undefined || gateway === undefined) throw new Error(`the stack ${stack.name} is not whole`);
    return { server: server.Spec, labels: gateway.Spec.Labels, config: Buffer.from(data, 'base64').toString() };
  }
}
