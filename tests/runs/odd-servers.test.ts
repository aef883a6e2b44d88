/**
 * Whole runs against servers that are odd in one way each: what the load, and not only the preflight, makes of them.
 * `tests/programs/odd-servers` has the many that a preflight and a session show.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { oddServer, startOddServer } from '../servers/odd-server.js';
import { startTestServer } from '../servers/test-server.js';
import { selfSigned } from '../support/certificates.js';
import { run, simpleScenario, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

jest.setTimeout(120_000);

describe('a gateway that mixes up the answers of two sessions', () => {
  const mixed = async (mode: string, words: string) => {
    const server = `http://127.0.0.1:${await startOddServer('mixing-gateway.mjs', mode)}`;
    const operations = [{ tool: 'whoami', arguments: { me: '{{ client }}' }, expect: { contains: words } }];
    const profile = { clients: 2, connections: 1, thinkTime: '20ms', operations };
    const { report, code } = await run({
      scenario: simpleScenario(profile, 2, { thresholds: ['errors.rate < 0.1%'] }),
      target: `${server}/mcp`,
    });
    const { mixedUp } = (await (await fetch(`${server}/__truth`)).json()) as { readonly mixedUp: number };
    const categories = report.errors.map(({ category, count }) => `${category} ${count}`);
    return { mixedUp, code, kind: report.verdict.kind, failed: report.summary.failed, categories };
  };

  test('by their ids alone finds none that two sessions share', async () => {
    expect(await mixed('by-id', 'you are client {{ client }}')).toMatchObject({
      mixedUp: 0,
      failed: 0,
      categories: [],
    });
  });

  test('and sends them with the wrong id is found out', async () => {
    const { mixedUp, kind, failed, categories } = await mixed('sends', 'you are client');
    expect(mixedUp).toBeGreaterThan(0);
    expect({ kind, failed, categories }).toEqual({
      kind: 'failed',
      failed: mixedUp,
      categories: [`crossed ${mixedUp}`],
    });
  });

  test('and translates ids is found out by what the arguments drew', async () => {
    const { mixedUp, kind, failed } = await mixed('renames', 'you are client {{ client }}');
    expect(mixedUp).toBeGreaterThan(0);
    expect({ kind, failed }).toEqual({ kind: 'failed', failed: mixedUp });
    const unseen = await mixed('renames', 'you are client');
    expect(unseen.mixedUp).toBeGreaterThan(0);
    expect(unseen.failed).toBe(0);
  });
});

test('idle499: connections that close just when they are used are not the server going wrong', async () => {
  const url = `http://127.0.0.1:${await startOddServer('odd-http.mjs', 'idle499')}/mcp`;
  const profile = { clients: 20, connections: 1, arrivals: { rate: '2/s' }, timeout: '20s' };
  const operations = [{ tool: 'echo', arguments: { text: '{{ text 12 }}' } }];
  const { report } = await run({
    scenario: simpleScenario({ ...profile, operations }, 6, { drain: '20s' }),
    target: url,
  });
  expect(report.errors.map(({ category }) => category).filter((category) => category !== 'idle_closed')).toEqual([]);
  expect(report.summary.succeeded).toBeGreaterThan(report.summary.sent / 2);
});

test('v9: a server of a file with an envFile gets its variables, and its calls are counted', async () => {
  const folder = tempFolder();
  const [truth, envFile, config] = ['truth.jsonl', 'server.env', 'mcp.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(envFile, '# as dotenv reads it\nexport FROM_FILE="yes"\n');
  const mine = { command: 'node', args: [oddServer('odd-stdio.mjs'), 'plain'], envFile, env: { TRUTH: truth } };
  writeFileSync(config, JSON.stringify({ mcpServers: { mine } }));
  const operations = [{ tool: 'echo', arguments: { text: 'hi' } }];
  const { report } = await run({
    scenario: simpleScenario({ clients: 2, arrivals: { rate: '5/s' }, operations }, 2),
    args: ['--config', config],
  });
  expect(report.summary).toMatchObject({ sent: report.summary.offered, failed: 0, lost: 0 });
  const started = readFileSync(truth, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"started"'))
    .map((line) => (JSON.parse(line) as { readonly FROM_FILE?: string }).FROM_FILE);
  expect(new Set(started)).toEqual(new Set(['yes']));
});

describe('before the load', () => {
  test('a certificate that nobody signed is refused, with the options that help', async () => {
    const { url } = await startTestServer({ behaviour: (call) => call.answer(), tls: selfSigned() });
    const { code, output } = await run({ scenario: simpleScenario({}, 1), target: url });
    expect(code).toBe(3);
    expect(output).toMatch(/self-signed certificate\. .*--tls-ca FILE.*--insecure/);
    expect(output).not.toMatch(/does it need a header|credentials/);
  });

  test('JUnit into a folder that is not there is refused before anything is sent', async () => {
    const { url, log } = await startTestServer({ behaviour: (call) => call.answer() });
    const folder = tempFolder();
    const file = join(folder, 'no-such-folder', 'j.xml');
    const scenario = writeScenario(simpleScenario({}, 1), folder);
    const { code, stderr } = await swarmbench(['run', scenario, '--target', url, '--out', folder, '--junit', file]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`--junit: cannot write ${file}`) });
    expect(log.connectionsOpened).toBe(0);
  });
});

test('a server at an address of IPv6 is reached, and named with its brackets', async () => {
  const port = await startOddServer('odd-http.mjs', 'plain', ['--host', '::1']);
  const operations = [{ tool: 'echo', arguments: { text: 'hi' } }];
  const { report } = await run({
    scenario: simpleScenario({ clients: 2, arrivals: { rate: '5/s' }, operations }, 2),
    target: `http://[::1]:${port}/mcp`,
  });
  expect(report.summary).toMatchObject({ sent: report.summary.offered, failed: 0, lost: 0 });
  expect(report.run.command).toContain(`http://[::1]:${port}/mcp`);
});
