/** What happened by itself during a run, as its report tells it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { labelOf } from '../../../harness/platform/swarm/stack/stack-objects.js';
import type { Report } from '../../../harness/report/schema.js';
import { once } from '../../support/once.js';
import { docker as cli } from '../../support/swarm/docker-cli.js';
import { dockerOfTests, getJsonFrom } from '../../support/swarm/own-stack.js';
import { simpleScenario } from '../../support/swarmbench.js';
import { until } from '../../support/until.js';
import type { RunStack } from '../support/run-stack.js';

type Incident = NonNullable<Report['incidents']>[number];

const alerts = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

/** On a stack that is deployed and idle. */
export function describeTimeline(stack: RunStack): void {
  describe('with replicas, a service and the harness disturbed by somebody else', () => {
    const container = async (service: string, slot?: number): Promise<string> => {
      const found = await dockerOfTests().listContainers({
        filters: { label: [labelOf(stack.name), `com.docker.swarm.service.name=${stack.name}_${service}`] },
      });
      const named = found.find(
        ({ Labels }) =>
          slot === undefined || Labels['com.docker.swarm.task.name']?.startsWith(`${stack.name}_${service}.${slot}.`),
      );
      if (named === undefined) throw new Error(`no container of ${service}.${slot}`);
      return named.Id;
    };
    const replaced = (slot: number, before: string): Promise<string> =>
      until('the next task', async () => {
        const now = await container('mcp-server', slot).catch(() => before);
        return now !== before && now;
      });
    const disturbed = once(async () => {
      await stack.observe();
      const target = { server: 'reference', replicas: 2, era: 'legacy' };
      const profile = { clients: 6, arrivals: { rate: '10/s' } };
      const thresholds = [`usage.cpu{replica="mcp-server.1"} < 90%`];
      const program = stack.run(simpleScenario(profile, 55, { target, thresholds }));
      await program.wrote(/00:0\d steady/, 90_000);
      const engine = dockerOfTests();
      const second = await container('mcp-server', 2);
      await engine.getContainer(second).kill();
      const third = await replaced(2, second);
      const first = engine.getContainer(await container('mcp-server', 1));
      await first.pause();
      await program.wrote(/the gateway took mcp-server\.1 out/, 30_000);
      await first.unpause();
      await program.wrote(/the gateway sends to mcp-server\.1 again/, 30_000);
      await engine.getContainer(third).kill();
      await replaced(2, third);
      await cli(['service', 'update', '--detach', '--limit-memory', '200M', `${stack.name}_alertmanager`]);
      await program.wrote(/alertmanager was changed/, 30_000);
      await engine.getContainer(await container('harness')).kill();
      const code = await program.ended;
      return { code, report: stack.report(program), output: program.stderr() };
    });
    let report: Report;
    const of = (what: string, subject: string): readonly Incident[] =>
      (report.incidents ?? []).filter((incident) => incident.what === what && incident.subject === subject);
    beforeAll(async () => {
      ({ report } = await disturbed());
    }, 240_000);

    test('the report tells each of them with its time, its end and its effect', () => {
      expect(of('task-died', 'mcp-server.2')).toHaveLength(2);
      for (const death of of('task-died', 'mcp-server.2'))
        expect(death).toMatchObject({
          exitCode: 137,
          text: 'mcp-server.2 died with exit code 137 (SIGKILL)',
          untilSeconds: expect.any(Number),
          fault: null,
        });
      const [pause] = of('task-paused', 'mcp-server.1');
      expect(pause).toMatchObject({ text: 'mcp-server.1 was paused', untilSeconds: expect.any(Number) });
      const out = of('server-out', 'mcp-server.1')[0];
      expect(out?.text).toMatch(/^the gateway took mcp-server\.1 out: its health check got .+/);
      expect(out?.atSeconds).toBeGreaterThan(pause?.atSeconds ?? Infinity);
      expect(out?.untilSeconds).toBeGreaterThan(out?.atSeconds ?? Infinity);
      expect(of('service-changed', 'alertmanager').map(({ text }) => text)).toEqual([
        'alertmanager was changed: memory limit 256 MiB to 200 MiB',
      ]);
    });

    test('notes beside the verdict, the events and the page say it, too', () => {
      expect(report.notes).toContainEqual(
        expect.stringMatching(/^mcp-server\.2 died with exit code 137 \(SIGKILL\): 2 times, from [\d.]+ s to [\d.]+ s/),
      );
      expect(report.notes).toContainEqual(expect.stringMatching(/for [\d.]+ s: mcp-server\.1 was paused/));
      expect(report.notes).toContainEqual(expect.stringContaining('the controller was replaced, and the run went on'));
      const texts = report.events.map(({ text }) => text);
      for (const { text } of report.incidents ?? []) expect(texts).toContain(text);
    });

    test('each replacement is a replica of its own, and their answers sum up', () => {
      expect(report.replicas.map(({ id }) => id).toSorted()).toEqual([
        'mcp-server.1',
        'mcp-server.2',
        'mcp-server.2 (2)',
        'mcp-server.2 (3)',
      ]);
      const [, second, third] = ['mcp-server.2', 'mcp-server.2 (2)', 'mcp-server.2 (3)'].map((id) =>
        report.replicas.find((replica) => replica.id === id),
      );
      expect(second?.cameAtSeconds).toBeLessThan(third?.cameAtSeconds ?? 0);
      expect(second?.goneAtSeconds).toBeGreaterThan(second?.cameAtSeconds ?? Infinity);
      const answered = report.replicas.reduce((sum, { succeeded }) => sum + succeeded, 0);
      expect(answered).toBe(report.summary.succeeded);
    });

    test('resource use goes on under the harness that adopts the run, and never ends in a false zero', () => {
      const adopted = report.events.find(({ type }) => type === 'run.adopted');
      expect(adopted?.t).toEqual(expect.any(Number));
      const first = report.usage.find(({ id, task }) => id === 'mcp-server.1' && task !== undefined);
      expect(first?.points.at(-1)?.t).toBeGreaterThan(adopted?.t ?? Infinity);
      expect(first?.points.at(-1)?.cpu).toBeGreaterThan(0);
      expect(report.thresholds).toMatchObject([{ metric: 'usage.cpu', actual: expect.any(Number) }]);
    });

    test('alerts said that a task had died', async () => {
      const query = new URLSearchParams({
        query: 'max_over_time(ALERTS{alertstate="firing", alertname="ReplicaDied", of="mcp-server"}[3m])',
      });
      const { data } = alerts.parse(await getJsonFrom(`${stack.stack.prometheusUrl}/api/v1/query?${query}`));
      expect(data.result).not.toEqual([]);
    });
  });
}
