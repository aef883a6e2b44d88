/** A server on the spot: behind `--`, by one of its tools, by all of them; and a look at it without load. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { buildRoot } from '../support/package-root.js';
import { listeningUrl, startProgram } from '../support/program.js';
import { operationTotals, readRun, runFolder } from '../support/run-files.js';
import { simpleScenario, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

jest.setTimeout(180_000);

const program = 'tests/servers/sdk-server.js';
const command = ['--', process.execPath, join(buildRoot, program), 'stdio'];

/** How often each tool was called, as the server counts it. */
function callsIn(file: string): Readonly<Record<string, number>> {
  const calls: Record<string, number> = {};
  for (const tool of readFileSync(file, 'utf8').split('\n')) if (tool !== '') calls[tool] = (calls[tool] ?? 0) + 1;
  return calls;
}

function newCallsFile(): string {
  const file = join(tempFolder(), 'calls');
  writeFileSync(file, '');
  return file;
}

/** A closed loop, so that the first call waits until the process has started. */
const scenario = simpleScenario({ thinkTime: '50ms', timeout: '60s', operations: [{ list: 'tools' }] }, 4, {
  thresholds: ['errors.rate < 1%'],
  drain: '60s',
});

async function quickRun(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const results = join(tempFolder(), 'results');
  const { code, stdout, stderr } = await swarmbench(
    ['run', writeScenario(scenario), '--out', results, '--workers', '1', '--threads', '1', ...args],
    env,
  );
  return { code, output: stdout + stderr, results };
}

describe('run', () => {
  test('-- COMMAND --tool NAME --arguments JSON calls that tool of that server, and nothing else', async () => {
    const calls = newCallsFile();
    const args = [
      '--env',
      'CALLS',
      '--tool',
      'search',
      '--arguments',
      '{ "query": "{{ text 8 }}", "page": 2 }',
      ...command,
    ];
    const { results } = await quickRun(args, { CALLS: calls });
    const { succeeded, failed } = readRun(results).report.summary;
    expect({ failed, some: succeeded > 0 }).toEqual({ failed: 0, some: true });
    // One of the preflight.
    expect(callsIn(calls)).toEqual({ search: succeeded + 1 });
  });

  test('of all tools leaves out those that are destructive, fail, or cannot be called, and says so', async () => {
    const calls = newCallsFile();
    const args = ['--env', `CALLS=${calls}`, '--set', 'workload.*.operations={ tools: auto }', ...command];
    const { output, results } = await quickRun(args);
    expect(output).toMatch(/calls search, note, unsaid; leaves out wipe: it calls itself destructive/);
    expect(output).toMatch(/leaves out write: it calls itself destructive/);
    expect(output).toMatch(/leaves out coded: cannot generate arguments: \$\.code has the pattern/);
    expect(output).toMatch(/leaves out broken: its trial call failed with tool_error/);
    expect(output).toMatch(/do not say whether they are destructive: unsaid/);
    const { report, telemetry } = readRun(results);
    const totals = operationTotals(telemetry);
    expect([...totals.keys()].toSorted()).toEqual(['note', 'search', 'unsaid']);
    // One of each in the preflight.
    const counted = [...totals].map(([tool, { succeeded }]) => [tool, succeeded + 1] as const);
    expect(callsIn(calls)).toEqual({ ...Object.fromEntries(counted), broken: 1 });
    expect(report.summary.failed).toBe(0);
    const page = readFileSync(join(runFolder(results), 'report.html'), 'utf8');
    expect([...totals.keys()].filter((tool) => !page.includes(tool))).toEqual([]);
  });

  test('names all tools that it cannot call at once, each with its reason', async () => {
    const tools = ['search', 'wipe', 'coded', 'nope'].flatMap((tool) => ['--tool', tool]);
    const { code, output } = await quickRun([...tools, ...command]);
    expect(code).toBe(3);
    expect(output).toMatch(/operation wipe: it calls itself destructive/);
    expect(output).toMatch(/operation coded: cannot generate arguments/);
    expect(output).toMatch(/operation nope: the server has no tool `nope`/);
    expect(output).not.toMatch(/operation search:/);
  });

  test('of a destructive tool is made when its arguments are written', async () => {
    const calls = newCallsFile();
    const args = ['--env', `CALLS=${calls}`, '--tool', 'wipe', '--arguments', '{}', ...command];
    const { results } = await quickRun(args);
    expect(callsIn(calls)).toEqual({ wipe: readRun(results).report.summary.succeeded + 1 });
  });

  test.each([
    [['--tool', 'a', '--tool', 'b', '--arguments', '{}'], '--arguments are those of one --tool'],
    [['--tool', 'a', '--arguments', '{'], '--arguments are not JSON'],
    [['--tool', 'a', '--arguments', '[1]'], '--arguments are not JSON: they are no map of names and values'],
    [['--env', 'A=b'], '--env is for the command behind --'],
    [['--env', 'NOT_SET_ANYWHERE', ...command], '--env: NOT_SET_ANYWHERE is not set'],
    [['--target', 'http://localhost:1/', ...command], '--target and the command behind -- both name the server'],
    [['--'], 'there is no command behind --'],
    [['--input', 'a=b'], '--input gives a value to a variable of the --config file, but there is no --config'],
  ])('%j is refused', async (args, problem) => {
    const { code, output } = await quickRun(args);
    expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining(problem) });
  });
});

test('a command that takes no server refuses one', async () => {
  const { code, stderr } = await swarmbench(['list', ...command]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('list takes no command behind --') });
});

test('`list --config` shows how a run would reach each server, and what is wrong with it', async () => {
  const file = join(tempFolder(), 'mcp.json');
  const mcpServers = {
    plain: { url: 'https://example.com/mcp?key=secret' },
    events: { url: 'http://localhost:1/app/sse' },
    socket: { url: 'ws://localhost:1/mcp' },
    raw: { url: 'tcp://localhost:1' },
    told: { url: 'http://localhost:1/sse', type: 'http' },
    started: { command: 'node', args: ['server.js'] },
    resting: { url: 'http://localhost:1/mcp', disabled: true },
    broken: { url: '${NOT_SET_ANYWHERE}/mcp' },
  };
  writeFileSync(file, JSON.stringify({ mcpServers }));
  const { code, stdout } = await swarmbench(['list', '--config', file, '--json']);
  const { servers } = JSON.parse(stdout) as {
    readonly servers: readonly { name: string; transport: string; address: string; problems: readonly string[] }[];
  };
  expect({ code, shown: servers.map(({ name, transport, address }) => `${name} ${transport} ${address}`) }).toEqual({
    code: 0,
    shown: [
      expect.stringMatching(/^plain streamable-http https:\/\/example\.com\/mcp/),
      'events sse http://localhost:1/app/sse',
      'socket websocket ws://localhost:1/mcp',
      'raw tcp tcp://localhost:1',
      'told streamable-http http://localhost:1/sse',
      'started stdio node server.js',
      'resting streamable-http (disabled) http://localhost:1/mcp',
      expect.stringMatching(/^broken - /),
    ],
  });
  expect(stdout).not.toContain('secret');
  expect(servers.at(-1)?.problems).toEqual([expect.stringContaining('NOT_SET_ANYWHERE')]);
});

describe('discover', () => {
  test('shows what a server over HTTP speaks and offers, and calls nothing', async () => {
    const calls = newCallsFile();
    const url = await listeningUrl(startProgram(program, ['http'], { CALLS: calls }));
    const { code, stdout } = await swarmbench(['discover', '--target', url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/of-the-sdk 1\.2\.3/);
    expect(stdout).toMatch(/speaks +MCP 2025-11-25 \(legacy: session era, with session ids\) over streamable-http/);
    expect(stdout).toMatch(/offers +tools/);
    expect(stdout).toMatch(/says +Search first\./);
    expect(stdout).toMatch(/search\(query: string, page\?: integer\) {2}read-only/);
    expect(stdout).toMatch(/wipe\(\) {2}destructive\n +arguments: auto {2}refuses it: it calls itself destructive/);
    expect(stdout).toMatch(/unsaid\(\) {2}does not say whether it is destructive/);
    expect(callsIn(calls)).toEqual({});
  });

  test('prints all schemas as JSON, over stdio as well', async () => {
    const { code, stdout } = await swarmbench(['discover', '--json', ...command]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      pinned: { era: 'legacy', version: '2025-11-25' },
      capabilities: { tools: {} },
      instructions: 'Search first.',
      tools: expect.arrayContaining([
        expect.objectContaining({
          name: 'search',
          destructiveness: 'read-only',
          entry: expect.objectContaining({ inputSchema: expect.objectContaining({ required: ['query'] }) }),
          arguments: { query: expect.stringMatching(/^.{12}$/) },
        }),
      ]),
    });
  });

  test.each([
    [[], 2, /discover looks at a server, and none is named/],
    [['--target', 'http://127.0.0.1:1/mcp'], 3, /ECONNREFUSED/],
    [['--', process.execPath, '-e', 'process.exit(7)'], 3, /ended with code 7/],
  ])('%j fails in words', async (args, expected, words) => {
    const { code, stderr } = await swarmbench(['discover', ...args]);
    expect(stderr).toMatch(words);
    expect(code).toBe(expected);
  });
});
