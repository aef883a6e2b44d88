/** What somebody else's gateway adds to a server, by arms. */
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../support/package-root.js';
import { startReferenceTarget } from '../support/reference-target.js';
import { run } from '../support/swarmbench.js';
import { startProxied } from './third-party-server.js';

test('mcp-proxy before the reference server: its overhead has an interval', async () => {
  const { url, port } = await startReferenceTarget();
  const proxy = await startProxied([execPath, join(packageRoot, 'dist/swarm/reference-server/main.js'), '--stdio']);
  const { report, output } = await run({
    scenario: {
      name: 'overhead',
      workload: {
        caller: {
          profile: 'low-load',
          clients: 2,
          arrivals: { rate: '20/s' },
          operations: [{ tool: 'echo', arguments: { message: '{{ text 32 }}' } }],
        },
      },
      arms: {
        direct: { server: { url }, truth: { url: `http://127.0.0.1:${port}/stats` } },
        proxy: { server: { url: proxy } },
      },
      stages: [{ name: 'steady', duration: '9s' }],
      interleave: { blocks: 6, settle: '300ms' },
    },
  });
  const { arms, reached } = report;
  expect(arms?.arms.map(({ name, succeeded }) => [name, succeeded > 0])).toEqual([
    ['direct', true],
    ['proxy', true],
  ]);
  const added = arms?.overheads.find((one) => one.of === 'latency' && one.statistic === 'p50')?.addedMs;
  // One more process and one more hop are never surely faster.
  expect(added?.high).toBeGreaterThan(0);
  expect(added?.low).toBeLessThanOrEqual(added?.value ?? Number.NaN);
  expect(reached?.map(({ arm, answer }) => `${arm}: ${answer}`)).toEqual(['direct: all']);
  expect(output).toContain('proxy');
}, 120_000);
