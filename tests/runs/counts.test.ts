import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { listeningUrl, startProgram } from '../support/program.js';
import { eventsOf, operationTotals, totalOf } from '../support/run-files.js';
import { countedScenario, run, simpleScenario } from '../support/swarmbench.js';

const stats = z.looseObject({
  requests: z.record(z.string(), z.record(z.string(), z.number())),
  sessions: z.looseObject({ active: z.number() }),
});

const mix = [
  { tool: 'echo', arguments: { message: '{{ text 32 }}' }, weight: 6 },
  { tool: 'fail', arguments: { rate: 0.3 }, weight: 2 },
  { tool: 'sleep', arguments: { ms: 5 } },
  { resource: 'bench://static/1k' },
  { prompt: 'greeting', arguments: { name: '{{ pick a b c }}' } },
];

/** Runs the mix against a reference server of its own and compares its counts with ours. */
async function countsAgree(era: 'legacy' | 'modern', answers: 'json' | 'sse'): Promise<void> {
  const url = await listeningUrl(startProgram('swarm/reference-server/main.js', ['--port', '0', '--answers', answers]));
  const { report, telemetry, events } = await run({
    scenario: countedScenario({ clients: 4, arrivals: { rate: '50/s', spacing: 'poisson' }, operations: mix }, 6, {
      target: { server: { url }, era },
    }),
  });
  const { requests, sessions } = stats.parse(await (await fetch(new URL('/stats', url))).json());
  const totals = operationTotals(telemetry);
  const ours = {
    'tools/call': ['echo', 'fail', 'sleep'].reduce((sum, name) => sum + (totals.get(name)?.sent ?? 0), 0),
    'resources/read': totals.get('bench://static/1k')?.sent ?? 0,
    'prompts/get': totals.get('greeting')?.sent ?? 0,
  };
  const preflight = eventsOf(events, 'preflight.passed').flatMap(({ exchanges }) => exchanges);
  const asked = (method: string): number =>
    preflight.filter(({ request }) => request.includes(`"method":"${method}"`)).length;
  for (const [method, count] of Object.entries(ours)) {
    const answered = Object.values(requests[method] ?? {}).reduce((sum, each) => sum + each, 0);
    expect({ era, method, count }).toEqual({ era, method, count: answered - asked(method) });
  }
  expect(requests['tools/call']?.tool_error).toBe(totals.get('fail')?.errors.tool_error);
  expect(totalOf(telemetry, 'sent')).toBeGreaterThan(300);
  expect(report.balance.filter(({ gap }) => gap !== 0)).toEqual([]);
  expect(sessions.active).toBe(0);
}

describe('the counts of server and generator are equal to the last one', () => {
  // Both eras at once: counts do not depend on the time that things take.
  test.each(['json', 'sse'] as const)('both eras, answers as %s', async (answers) => {
    await Promise.all([countsAgree('legacy', answers), countsAgree('modern', answers)]);
  });

  test('also with several workers, pipelining and no time to think', async () => {
    const { url, log } = await startTestServer({ behaviour: rightly });
    const { telemetry, report } = await run({
      scenario: simpleScenario(
        { clients: 6, thinkTime: '0ms', maxInFlight: 4, connections: 1, pipeline: 4, timeout: '60s' },
        2,
        { drain: '60s' },
      ),
      target: url,
      args: ['--workers', '3'],
    });
    expect(new Set(telemetry.map(({ workerId }) => workerId)).size).toBe(3);
    expect(totalOf(telemetry, 'sent')).toBe(log.calls.length);
    expect(totalOf(telemetry, 'succeeded')).toBe(log.calls.length);
    expect(report.summary.succeeded).toBe(log.calls.length);
  });
});

describe('one seed, one sequence', () => {
  const operations = [
    {
      tool: 'echo',
      arguments: {
        message: '{{ text 8 }}',
        number: '{{ int 1 1000000 }}',
        pick: '{{ pick a b c }}',
        id: '{{ uuid }}',
        seq: '{{ seq }}',
      },
      weight: 3,
    },
    { tool: 'other', arguments: { client: '{{ client }}' } },
  ];

  /** What the one client asked, in order. */
  async function asked(seed: number): Promise<readonly string[]> {
    const { url, log } = await startTestServer({ behaviour: rightly });
    await run({
      scenario: countedScenario(
        { clients: 1, arrivals: { rate: '60/s', spacing: 'poisson' }, connections: 1, operations },
        2,
      ),
      target: url,
      args: ['--seed', String(seed)],
    });
    return log.calls.map(({ params }) => JSON.stringify(params));
  }

  test('the same seed asks the same, another seed something else', async () => {
    const [first, again, other] = await Promise.all([asked(7), asked(7), asked(8)]);
    expect(first.length).toBeGreaterThan(30);
    expect(again).toEqual(first);
    expect(other.slice(0, 10)).not.toEqual(first.slice(0, 10));
  });
});
