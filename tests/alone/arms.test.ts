/**
 * Two servers of which one is slower, beside a program that takes a core: what the arms say is held against what was
 * built in. Alone, because it measures.
 */
import { describe, expect, test } from '@jest/globals';
import { once } from '../support/once.js';
import { startProgram } from '../support/program.js';
import { run } from '../support/swarmbench.js';

const ADDED_MS = 25;

async function startServer(...options: readonly string[]): Promise<string> {
  const server = startProgram('swarm/reference-server/main.js', ['--port', '0', ...options]);
  const [, url = ''] = await server.wrote(/"url":"([^"]+)"/);
  return url;
}

const measured = once(async () => {
  const direct = await startServer('--id', 'plain');
  const slow = await startServer('--id', 'slow', '--delay', `echo=${ADDED_MS}ms`);
  const statsOf = (url: string): object => ({ url: new URL('/stats', url).href });
  return run({
    scenario: {
      name: 'slow-tool',
      workload: {
        caller: {
          profile: 'low-load',
          clients: 4,
          arrivals: { rate: '20/s', spacing: 'poisson' },
          operations: [
            { tool: 'echo', arguments: { message: '{{ text 32 }}' } },
            { tool: 'payload', arguments: { bytes: '{{ int 10 200 }}' } },
          ],
        },
      },
      arms: {
        direct: { server: { url: direct }, truth: statsOf(direct) },
        slow: { server: { url: slow }, truth: statsOf(slow) },
      },
      stages: [{ name: 'steady', duration: '8s' }],
      interleave: { blocks: 8, settle: '300ms' },
      compare: ['latency.p50{operation="echo"} +5ms', 'latency.p50{operation="payload"} +500%'],
    },
  });
});

describe('a tool that is slower by itself', () => {
  test('is found, by about what was added, and the other tool is not blamed', async () => {
    const { report, code } = await measured();
    const of = (operation: string) =>
      report.arms?.overheads.find((one) => one.operation === operation && one.statistic === 'p50');
    const [echo, payload] = [of('echo'), of('payload')];
    expect(echo?.addedMs.low).toBeGreaterThan(0);
    // A timer of Node is late, never early, so a little more than this is added.
    expect(echo?.addedMs.low).toBeLessThan(1.2 * ADDED_MS);
    expect(echo?.addedMs.high).toBeGreaterThan(ADDED_MS / 2);
    expect(payload?.addedMs.value ?? 0).toBeLessThan(echo?.addedMs.value ?? 0);
    // A machine that stands still meanwhile may leave it open, but never says the opposite.
    expect(['regressed', 'inconclusive']).toContain(report.arms?.rules[0]?.answer);
    expect([4, 5, 6, 99]).toContain(code);
  }, 120_000);

  test('every answer of both servers came from them', async () => {
    const { report } = await measured();
    expect(report.reached?.map(({ arm, operation, answer }) => `${arm} ${operation}: ${answer}`)).toEqual([
      'direct echo: all',
      'direct payload: all',
      'slow echo: all',
      'slow payload: all',
    ]);
  });
});
