import { expect, test } from '@jest/globals';
import { ConformanceServers } from '../conformance/reference-server/conformance-servers.js';
import { startReferenceTarget } from '../support/reference-target.js';
import { eventsOf } from '../support/run-files.js';
import { run } from '../support/swarmbench.js';

/** The server refuses with -32020 whatever lacks the header, or says something else in it than in the body. */
test('a load over a tool that wants arguments in headers: every call carries them, from the preflight on', async () => {
  const { url, stats } = await startReferenceTarget({ servers: new ConformanceServers(), replayAnswers: true });
  const operations = [
    { tool: 'test_param_header', arguments: { region: '{{ pick west größe " padded " }}', zone: '{{ int 1 9 }}' } },
  ];
  const { report, events } = await run({
    scenario: {
      name: 'headers',
      workload: {
        made: {
          profile: 'low-load',
          clients: 1,
          arrivals: { rate: '20/s' },
          operations: [{ ...operations[0], arguments: 'auto' }],
        },
        drawn: { profile: 'low-load', clients: 2, arrivals: { rate: '20/s' }, operations },
      },
      stages: [{ name: 'steady', duration: '2s' }],
    },
    target: url,
    args: ['--era', 'modern'],
  });
  expect(report.errors).toEqual([]);
  expect(report.profiles.map(({ name, succeeded, failed }) => [name, succeeded > 5, failed])).toEqual([
    ['made', true, 0],
    ['drawn', true, 0],
  ]);
  expect(Object.keys(stats().requests['tools/call'] ?? {})).toEqual(['ok']);
  const [passed] = eventsOf(events, 'preflight.passed');
  const paramHeaders = [
    { name: 'mcp-param-region', path: ['region'] },
    { name: 'mcp-param-zone', path: ['zone'] },
  ];
  expect(passed?.settledOperations).toMatchObject([
    { profile: 'made', paramHeaders },
    { profile: 'drawn', paramHeaders },
  ]);
  expect(
    passed?.exchanges
      .filter(({ step }) => step.startsWith('tools/call'))
      .every(({ request }) => request.includes('mcp-param-region: ')),
  ).toBe(true);
});
