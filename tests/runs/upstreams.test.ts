/** A gateway with many servers behind it, which it is told of by a command or by HTTP. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, test } from '@jest/globals';
import { type AggregatingGateway, startAggregatingGateway } from '../servers/aggregating-gateway.js';
import { startProgram } from '../support/program.js';
import { run, type ScenarioFile, startRun } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

function scenario({ url }: AggregatingGateway, target: ScenarioFile): ScenarioFile {
  return {
    name: 'many',
    target: { server: { url }, ...target },
    workload: {
      caller: {
        profile: 'low-load',
        clients: 1,
        arrivals: { rate: '10/s' },
        operations: [{ tool: 'upstream3__upstream3_tool_5', arguments: 'auto' }],
      },
    },
    stages: [{ name: 'steady', duration: '1s' }],
    thresholds: ['errors.count == 0'],
  };
}

const perServer = { url: '', body: { name: '{{ name }}', url: '{{url}}' }, headers: { 'x-api-key': '${KEY}' } };

/** A command of `prepare`. @param body the text of its program */
function hook(body: string): readonly string[] {
  const file = join(tempFolder(), 'register.mjs');
  writeFileSync(file, body);
  return [execPath, file];
}

async function endOf(written: ScenarioFile, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { program } = startRun({ scenario: written, env });
  const code = await program.ended;
  return `${code}\n${program.stdout()}${program.stderr()}`;
}

test('a command tells of all servers at once; what it leaves running is ended with the run', async () => {
  const gateway = await startAggregatingGateway();
  const left = join(tempFolder(), 'left.port');
  const command = hook(`
    import { spawn } from 'node:child_process';
    import { existsSync } from 'node:fs';
    const left = ${JSON.stringify(left)};
    const servers = JSON.parse(process.env.SWARMBENCH_UPSTREAMS);
    const to = new URL('/servers', process.env.SWARMBENCH_TARGET);
    const answer = await fetch(to, { method: 'POST', body: JSON.stringify(servers) });
    const server = 'require("node:http").createServer((_, out) => out.end()).listen(0, "127.0.0.1", function () {' +
      'require("node:fs").writeFileSync(process.argv[1], String(this.address().port)); })';
    spawn(process.execPath, ['-e', server, left], { stdio: 'ignore' }).unref();
    while (!existsSync(left)) await new Promise((resolve) => setTimeout(resolve, 50));
    process.exit(answer.ok && servers.every(({ tools }) => tools === 7) ? 0 : 1);
  `);
  const upstreams = { count: 3, tools: 7 };
  const { report, code } = await run({ scenario: scenario(gateway, { upstreams, prepare: command }) });
  expect(code).toBe(0);
  expect(report.upstreams).toMatchObject({ servers: 3, tools: 21, listed: 21 });
  await expect(fetch(`http://127.0.0.1:${readFileSync(left, 'utf8')}/`)).rejects.toThrow('fetch failed');
}, 120_000);

test.each([
  [
    'a command that fails',
    ['3\n', 'ended with exit code 7', 'no such gateway'],
    () => ({
      prepare: hook('console.error("no such gateway"); process.exit(7);'),
    }),
  ],
  [
    'a command that there is not',
    ['3\n', 'could not be started', 'ENOENT'],
    () => ({ prepare: ['./no-such-program'] }),
  ],
  [
    'a command that does not end',
    ['3\n', 'did not end within 4 s', 'waiting for ever', 'target.prepareTimeout'],
    () => ({
      prepare: hook('console.log("waiting for ever"); setInterval(() => {}, 1000);'),
      prepareTimeout: '4s',
    }),
  ],
  [
    'a call that is refused',
    ['3\n', 'POST http://127.0.0.1:', 'about upstream1: answered 403', 'this key may not add servers'],
    (gateway: AggregatingGateway) => ({
      prepare: { ...perServer, url: gateway.servers },
    }),
  ],
  [
    'tools that never come',
    ['3\n', 'within 6 s: it lists 10 tools, and 5 of', 'missing: upstream2_tool_1, upstream2_tool_2'],
    (gateway: AggregatingGateway) => ({
      prepare: { url: gateway.servers, body: '{{ upstreams }}' },
      prepareTimeout: '6s',
    }),
  ],
] as const)(
  '%s ends the run before its load, and its own words are shown',
  async (_, words, target) => {
    const gateway = await startAggregatingGateway('upstream2');
    const output = await endOf(scenario(gateway, { upstreams: 3, ...target(gateway) }), { KEY: 'wrong' });
    for (const word of words) expect(output).toContain(word);
  },
  120_000,
);

test('tools that are left from a run before are not taken for new ones', async () => {
  const gateway = await startAggregatingGateway();
  const reference = startProgram('swarm/reference-server/main.js', [
    '--port',
    '0',
    '--id',
    'upstream1',
    '--tools',
    '2',
  ]);
  const [, url = ''] = await reference.wrote(/"url":"([^"]+)"/);
  await fetch(gateway.servers, { method: 'POST', body: JSON.stringify({ name: 'upstream1', url }) });
  const output = await endOf(scenario(gateway, { upstreams: 3, prepare: { url: gateway.servers, body: [] } }));
  expect(output).toContain('the gateway lists 2 of their tools');
}, 60_000);
