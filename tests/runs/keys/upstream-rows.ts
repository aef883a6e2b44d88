import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { startAggregatingGateway } from '../../servers/aggregating-gateway.js';
import type { Rows } from '../../support/key-rows.js';
import { once } from '../../support/once.js';
import { run, startRun } from '../../support/swarmbench.js';

const load = {
  workload: {
    caller: {
      profile: 'low-load',
      clients: 1,
      arrivals: { rate: '10/s' },
      operations: [{ tool: 'upstream3__upstream3_tool_7', arguments: 'auto' }],
    },
  },
  stages: [{ name: 'steady', duration: '1s' }],
};

/** Each of four servers is told by a call of its own. */
const upstreamsRun = once(async () => {
  const gateway = await startAggregatingGateway();
  const upstreams = { count: 4, tools: [3, 10, 40], toolBytes: 500, schemaDepth: 2, answerBytes: 2000, pageSize: 10 };
  const prepare = {
    url: `${gateway.servers}?for={{ name }}`,
    method: 'PUT',
    headers: { 'x-api-key': '${KEY}' },
    body: { name: '{{ name }}', url: '{{url}}' },
  };
  const scenario = { name: 'many', target: { server: { url: gateway.url }, upstreams, prepare }, ...load };
  return { gateway, ...(await run({ scenario, env: { KEY: 's3cret-key' } })) };
});

const lateRun = once(async () => {
  const { url } = await startAggregatingGateway();
  const target = { server: { url }, upstreams: 1, prepare: ['true'], prepareTimeout: '2500ms' };
  const { program } = startRun({ scenario: { name: 'late', target, ...load } });
  const code = await program.ended;
  return `${code}\n${program.stdout()}${program.stderr()}`;
});

async function schemas(): Promise<readonly string[]> {
  return (await upstreamsRun()).gateway.listed().map(({ inputSchema }) => JSON.stringify(inputSchema));
}

async function told() {
  return (await upstreamsRun()).gateway.told;
}

export const upstreamRows: Rows = {
  'target.upstreams': async () => {
    const { report, output, folder } = await upstreamsRun();
    const { upstreams } = report;
    expect(report.summary.succeeded).toBe(report.summary.sent);
    expect(upstreams).toMatchObject({ servers: 4, tools: 3 + 10 + 40 + 3, listed: 56 });
    expect(upstreams?.allListedMs).toBeGreaterThan(upstreams?.notYetMs ?? Number.POSITIVE_INFINITY);
    expect(upstreams?.prepareMs).toBeGreaterThan(0);
    expect(output).toMatch(/upstreams: 56 tools of 4 servers listed after .* to /);
    for (const name of ['report.html', 'report.md']) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text).toMatch(/servers behind the gateway/i);
      expect(text).toMatch(/all tools listed[^]{1,60}after [^]{1,20} to /);
    }
  },
  'target.upstreams.count': async () => expect(new Set((await told()).map(({ url }) => url)).size).toBe(4),
  'target.upstreams.tools': async () => {
    const { gateway } = await upstreamsRun();
    const owners = gateway.listed().map(({ name }) => name.split('__')[0]);
    expect([1, 2, 3, 4].map((number) => owners.filter((owner) => owner === `upstream${number}`).length)).toEqual([
      3, 10, 40, 3,
    ]);
  },
  'target.upstreams.toolBytes': async () => {
    const { gateway } = await upstreamsRun();
    for (const tool of gateway.listed()) expect(JSON.stringify(tool).length).toBeGreaterThan(400);
  },
  'target.upstreams.schemaDepth': async () => {
    // The arguments themselves are an object, too.
    for (const schema of await schemas()) expect(schema.match(/"type":"object"/g)?.length).toBe(3);
  },
  'target.upstreams.answerBytes': async () => {
    const { gateway } = await upstreamsRun();
    expect(Math.min(...gateway.answers)).toBeGreaterThanOrEqual(2000);
  },
  'target.upstreams.pageSize': async () =>
    expect([...(await upstreamsRun()).gateway.pages.entries()].toSorted().map(([, pages]) => pages)).toEqual([
      1, 1, 4, 1,
    ]),
  'target.prepare': async () => expect((await told()).length).toBe(4),
  'target.prepare.url': async () => expect((await told())[0]?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/),
  'target.prepare.method': async () => expect((await told()).map(({ method }) => method)).toEqual(Array(4).fill('PUT')),
  'target.prepare.headers': async () => {
    const { gateway, ...finished } = await upstreamsRun();
    expect(gateway.told[0]?.key).toBe('s3cret-key');
    // Neither in the log and the report, as they were read, nor in what was printed.
    expect(JSON.stringify(finished)).not.toContain('s3cret-key');
  },
  'target.prepare.body': async () =>
    expect((await told()).map(({ name }) => name)).toEqual(['upstream1', 'upstream2', 'upstream3', 'upstream4']),
  'target.prepareTimeout': async () => {
    expect(await lateRun()).toMatch(/^3\n/);
    expect(await lateRun()).toContain('did not list the tools of all its servers within 2.5 s');
  },
};
