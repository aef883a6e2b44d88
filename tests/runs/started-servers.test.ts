import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { notingServer, runOfStarted } from '../servers/started-server.js';
import { isAlive, listeningUrl, startProgram } from '../support/program.js';
import { eventsOf, operationTotals } from '../support/run-files.js';
import { run, simpleScenario, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';
import { everythingCommand } from '../third-party/third-party-server.js';

jest.setTimeout(120_000);

describe('servers that sessions start for themselves', () => {
  test('get every call once, and none is left when the run is over', async () => {
    // How much was delivered while they started is the machine's business: the verdict is not asked.
    const { report, calls, pids } = await runOfStarted({ session: { mode: 'churn', every: '10 operations' } });
    expect({ calls, failed: report.summary.failed }).toEqual({ calls: report.summary.succeeded, failed: 0 });
    expect(pids.length).toBeGreaterThan(3);
    await until('the last process to be gone', () => pids.every((pid) => !isAlive(pid)));
  });

  test('can be named by an mcpServers file; secrets of their environment are in no file of the run', async () => {
    const folder = tempFolder();
    const server = notingServer('very-secret-label');
    const [command, ...args] = server.command;
    writeFileSync(
      join(folder, 'mcp.json'),
      JSON.stringify({
        mcpServers: {
          mine: { command, args, env: { ...server.env, LABEL: '${LABEL}' } },
          other: { url: 'http://127.0.0.1:9/' },
        },
      }),
    );
    const scenario = simpleScenario({ arrivals: { rate: '10/s' }, timeout: '30s' }, 1);
    const results = join(folder, 'results');
    const { stdout, stderr } = await swarmbench(
      ['run', writeScenario(scenario), '--config', join(folder, 'mcp.json'), '--server', 'mine', '--out', results],
      { LABEL: 'very-secret-label' },
    );
    expect(stdout + stderr).not.toContain('very-secret-label');
    expect(new Set(server.notes().map(({ label }) => label))).toEqual(new Set(['very-secret-label']));
    expect(server.notes().filter(({ what }) => what === 'called').length).toBeGreaterThan(1);
    const files = readdirSync(results, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(3);
    for (const file of files)
      expect([file.name, readFileSync(join(file.parentPath, file.name), 'utf8').includes('very-secret-label')]).toEqual(
        [file.name, false],
      );
  });

  test('the official example server passes the preflight, and fails nothing', async () => {
    const scenario = simpleScenario({ clients: 2, arrivals: { rate: '10/s' }, timeout: '60s', transport: 'stdio' }, 2, {
      target: { server: { command: everythingCommand } },
      drain: '10s',
    });
    const { report, events } = await run({ scenario });
    expect(eventsOf(events, 'preflight.passed')).toEqual([
      expect.objectContaining({ serverInfo: expect.objectContaining({ name: 'mcp-servers/everything' }) }),
    ]);
    expect(report.summary.failed).toBe(0);
  });

  test('the load waits for servers that start more slowly than a call may last', async () => {
    const server = notingServer('slow');
    const env = { ...server.env, SLOW_MS: '4000' };
    const { report } = await run({
      scenario: simpleScenario({ clients: 2, arrivals: { rate: '10/s' }, timeout: '3s', transport: 'stdio' }, 1, {
        target: { server: { command: server.command, env } },
      }),
    });
    const { offered, succeeded, sessions } = report.summary;
    expect({ offered, succeeded, opened: sessions.opened, refused: sessions.failures }).toEqual({
      offered: 20,
      succeeded: 20,
      opened: 2,
      refused: {},
    });
  });

  test('one that cannot be started ends the run before the load, with the last lines that it wrote', async () => {
    const scenario = simpleScenario({ transport: 'stdio' }, 1, {
      target: { server: { command: [process.execPath, '-e', "console.error('no licence'); process.exit(7)"] } },
    });
    const { code, stdout, stderr } = await swarmbench(['run', writeScenario(scenario), '--out', tempFolder()]);
    expect({ code, words: (stdout + stderr).includes('ended with code 7') }).toEqual({ code: 3, words: true });
  });

  test('more of them than the machine can run are refused with a hint', async () => {
    const server = notingServer('x');
    const workload = {
      caller: {
        profile: 'low-load',
        clients: 100_000,
        transport: 'stdio',
        thinkTime: '1s',
        operations: [{ tool: 'echo' }],
      },
    };
    const scenario = {
      name: 'many',
      target: { server: { command: server.command, env: server.env } },
      workload,
      stages: [{ name: 'a', duration: '1s' }],
      limits: { clients: 200_000 },
    };
    const { code, stdout, stderr } = await swarmbench(['run', writeScenario(scenario), '--out', tempFolder()]);
    expect({ code, output: stdout + stderr }).toEqual({
      code: 3,
      output: expect.stringMatching(
        /100000 sessions over stdio are 100000 processes.* use fewer clients, or session: \{ mode: pool, size: \d+ \}/s,
      ),
    });
    expect(server.notes().filter(({ what }) => what === 'started')).toHaveLength(1);
  });

  test('are refused by name on a swarm', async () => {
    const scenario = simpleScenario({ transport: 'stdio' }, 1, { target: { server: { command: ['x'] } } });
    const { code, stderr } = await swarmbench(['run', writeScenario(scenario), '--on', 'swarm']);
    expect({ code, words: stderr.includes('target.server.command') }).toEqual({ code: 2, words: true });
  });
});

const stats = z.looseObject({
  tools: z.record(z.string(), z.record(z.string(), z.number())),
  sessions: z.looseObject({ active: z.number(), opened: z.number() }),
});

describe('HTTP+SSE', () => {
  test('the counts of server and generator are equal to the last one', async () => {
    const url = await listeningUrl(startProgram('swarm/reference-server/main.js', ['--port', '0']));
    const config = join(tempFolder(), 'mcp.json');
    writeFileSync(config, JSON.stringify({ mcpServers: { old: { type: 'sse', url: url.replace(/mcp$/, 'sse') } } }));
    const operations = [
      { tool: 'echo', arguments: { message: '{{ text 32 }}' }, weight: 4 },
      { tool: 'fail', arguments: { rate: 0.5 } },
    ];
    const { report, telemetry } = await run({
      scenario: simpleScenario({ clients: 4, arrivals: { rate: '40/s' }, operations }, 2, { drain: '20s' }),
      args: ['--config', config],
    });
    const { tools, sessions } = stats.parse(await (await fetch(new URL('/stats', url))).json());
    const totals = operationTotals(telemetry);
    // One call of each in the preflight.
    expect(Object.values(tools.echo ?? {}).reduce((sum, count) => sum + count, 0)).toBe(
      (totals.get('echo')?.sent ?? 0) + 1,
    );
    expect(Object.values(tools.fail ?? {}).reduce((sum, count) => sum + count, 0)).toBe(
      (totals.get('fail')?.sent ?? 0) + 1,
    );
    expect(totals.get('fail')?.errors.tool_error).toBeGreaterThan(5);
    expect(totals.get('echo')?.succeeded).toBe(totals.get('echo')?.sent);
    expect(report.balance.filter(({ gap }) => gap !== 0)).toEqual([]);
    await until(
      'the sessions to be over',
      async () => stats.parse(await (await fetch(new URL('/stats', url))).json()).sessions.active === 0,
    );
    expect(sessions.opened).toBe(5);
  });

  test('is spoken by our own server when a profile asks for it', async () => {
    const { report } = await run({
      scenario: simpleScenario({ clients: 2, transport: 'sse', arrivals: { rate: '20/s' } }, 1, {
        target: { server: 'reference', replicas: 2 },
      }),
    });
    expect([report.summary.failed, report.summary.succeeded > 20]).toEqual([0, true]);
  });
});
