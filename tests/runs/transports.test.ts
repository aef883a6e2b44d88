import { describe, expect, test } from '@jest/globals';
import { testRows } from '../support/key-rows.js';
import { eventsOf } from '../support/run-files.js';
import { run, swarmbench, writeScenario } from '../support/swarmbench.js';
import { transportRows } from './transports/rows.js';
import { legacyRun, overAll, runOverAll } from './transports/run-over-all.js';

describe('one run over several transports', () => {
  test.each(['legacy', 'modern'] as const)(
    '%s: the counts of server and generator are equal to the last one',
    async (era) => {
      // Whether all that was due could be sent is the machine's business here, so the verdict is not asked.
      const { report, events, stats, counts } = await (era === 'legacy' ? legacyRun() : runOverAll(era));
      for (const [answered, succeeded] of Object.values(counts)) {
        expect(answered).toBe(succeeded);
        expect(succeeded).toBeGreaterThan(5);
      }
      const steps = eventsOf(events, 'preflight.passed').flatMap(({ exchanges }) =>
        exchanges.map(({ step }) => step.split(',')[0]),
      );
      expect(new Set(steps)).toEqual(new Set(['streamable-http', 'websocket', 'tcp', 'sdk']));
      expect(report.balance.filter(({ gap }) => gap !== 0)).toEqual([]);
      expect(report.summary.failed).toBe(0);
      expect([stats.sessions.active, stats.aborted]).toEqual([0, 0]);
      // Each of three clients has a connection, and there are the preflight's.
      expect(stats.connections.opened).toBeGreaterThanOrEqual(3 + 3 + 3 + 3 + 4);
    },
  );

  test.each(['reference', 'sink'])('the server `%s` is started with what the profiles need', async (server) => {
    const { report } = await run({ scenario: { name: 'own', target: { server, replicas: 2 }, ...overAll } });
    expect(report.profiles.map(({ name, succeeded }) => [name, succeeded > 5])).toEqual([
      ['web', true],
      ['socket', true],
      ['line', true],
      ['official', true],
    ]);
    expect(report.summary.failed).toBe(0);
  });

  test('a profile that cannot reach the target is refused, with what to do', async () => {
    const workload = { caller: { profile: 'low-load', transport: 'websocket' } };
    const { code, stderr } = await swarmbench([
      'run',
      writeScenario({ name: 'wrong', workload, stages: overAll.stages }),
      '--target',
      'http://127.0.0.1:9/mcp',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('--set workload.caller.transport=streamable-http');
  });
});

testRows(transportRows);
