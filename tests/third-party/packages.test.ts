/**
 * Servers and gateways of other people, from npm, by name and version (`packages/package.json`): `baseline` runs at
 * once against each of them. Where a server can count its calls, it counts what we say.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { describeWith } from '../support/needs.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';
import { callEcho, countCalls, ECHO, runBaseline } from './baseline-run.js';
import { answering, everythingCommand, freePort, startOther, startProxiedEverything } from './third-party-server.js';
import { npmPackages } from './toolchain.js';

jest.setTimeout(300_000);

const packages = await npmPackages();
const root = packages.ok ? packages.folder : '';

function program(file: string): string {
  return join(root, 'node_modules', file);
}

describeWith(packages.ok ? undefined : packages.missing, 'packages of npm', () => {
  test('servers over stdio run through an mcp.json', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'files'));
    const servers: Readonly<Record<string, readonly string[]>> = {
      filesystem: ['@modelcontextprotocol/server-filesystem/dist/index.js', join(folder, 'files')],
      memory: ['@modelcontextprotocol/server-memory/dist/index.js'],
      thinking: ['@modelcontextprotocol/server-sequential-thinking/dist/index.js'],
      playwright: ['@playwright/mcp/cli.js'],
      context7: ['@upstash/context7-mcp/dist/index.js'],
    };
    const env = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') };
    const mcpServers = Object.fromEntries(
      Object.entries(servers).map(([name, [file = '', ...args]]) => {
        return [name, { command: process.execPath, args: [program(file), ...args], env }];
      }),
    );
    const config = join(folder, 'mcp.json');
    writeFileSync(config, JSON.stringify({ mcpServers }));
    const found: [string, string | undefined][] = [];
    for (const name of Object.keys(servers)) {
      const { era, succeeded } = await runBaseline(['--config', config, '--server', name]);
      expect([name, Object.keys(succeeded)]).toEqual([name, ['tools/list']]);
      found.push([name, era]);
    }
    expect(new Map(found).get('context7')).toBe('modern');
  });

  test('server-filesystem: none of its tools writes a file without being told to', async () => {
    const folder = tempFolder();
    const command = [process.execPath, program('@modelcontextprotocol/server-filesystem/dist/index.js'), folder];
    const every = ['--set', 'workload.*.operations={ tools: auto }'];
    const { succeeded } = await runBaseline([...every, '--', ...command], { mayFail: true });
    expect(Object.keys(succeeded)).not.toContainEqual(expect.stringMatching(/write|edit|move/));
    // `create_directory` says that it destroys nothing.
    expect(readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())).toEqual([]);
  });

  test('fastmcp: with sessions, without, and over SSE', async () => {
    const counter = countCalls();
    const [port, stateless] = [await freePort(), await freePort()];
    for (const [mode, at] of [
      ['http', port],
      ['stateless', stateless],
    ] as const)
      startOther([process.execPath, join(root, 'fastmcp.mjs'), mode, String(at)], { CALLS: counter.file });
    const [url, statelessUrl] = [await answering(port), await answering(stateless)];
    // Its handshake takes a second.
    const { succeeded, ...found } = await runBaseline(['--target', url, ...ECHO], { seconds: 4 });
    expect(found).toEqual({ era: 'legacy', sessions: true });
    const ofRun = (succeeded.echo ?? 0) + 1;
    expect(counter.calls()).toBe(ofRun);
    const without = await callEcho({ url: statelessUrl, headers: {} }, 'streamable-http', 'auto');
    expect(without).toEqual({ era: 'legacy', sessions: false, calls: 24 });
    await callEcho({ url: url.replace('/mcp', '/sse'), headers: {} }, 'sse', 'legacy');
    expect(counter.calls()).toBe(ofRun + 48);
  });

  test('mcp-handler, in both eras', async () => {
    const counter = countCalls();
    const port = await freePort();
    startOther([process.execPath, join(root, 'mcp-handler.mjs'), String(port)], { CALLS: counter.file });
    const url = await answering(port);
    const { succeeded, ...found } = await runBaseline(['--target', url, ...ECHO]);
    expect(found).toEqual({ era: 'modern', sessions: false });
    const ofRun = (succeeded.echo ?? 0) + 1;
    expect(counter.calls()).toBe(ofRun);
    const legacy = await callEcho({ url, headers: {} }, 'streamable-http', 'legacy');
    expect(legacy).toMatchObject({ era: 'legacy', sessions: false });
    expect(counter.calls()).toBe(ofRun + 24);
  });

  test('mcp-proxy, in both eras, and over SSE', async () => {
    const url = await startProxiedEverything();
    expect(await runBaseline(['--target', url, ...ECHO])).toMatchObject({ era: 'modern' });
    expect(await callEcho({ url, headers: {} }, 'streamable-http', 'legacy')).toMatchObject({ era: 'legacy' });
    await callEcho({ url: url.replace('/mcp', '/sse'), headers: {} }, 'sse', 'legacy');
  });

  test.each([
    ['streamableHttp', 'http', '/mcp', ['--stateful']],
    ['ws', 'ws', '/message', []],
  ])('supergateway, as a gateway to %s', async (output, scheme, path, more) => {
    const port = await freePort();
    const gateway = [process.execPath, program('supergateway/dist/index.js'), '--outputTransport', output];
    const behind = ['--stdio', everythingCommand.join(' '), '--port', String(port), '--logLevel', 'none'];
    startOther([...gateway, ...behind, ...more]);
    const target = (await answering(port)).replace(/^http(.*)\/mcp$/, `${scheme}$1${path}`);
    const over = scheme === 'ws' ? ['--transport', 'websocket'] : [];
    // It starts a server for each session.
    expect(await runBaseline(['--target', target, ...over, ...ECHO], { seconds: 6 })).toMatchObject({ era: 'legacy' });
  });

  test('mcp-hub, before two servers at one address', async () => {
    const folder = tempFolder();
    const [command = '', ...args] = everythingCommand;
    const config = join(folder, 'servers.json');
    writeFileSync(config, JSON.stringify({ mcpServers: { one: { command, args }, two: { command, args } } }));
    const port = await freePort();
    const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder };
    startOther([process.execPath, program('mcp-hub/dist/cli.js'), '--port', String(port), '--config', config], home);
    const target = await answering(port);
    // It listens before its servers have started.
    await until('its servers to be there', async () => {
      const tools = await (await fetch(new URL('/api/health', target))).text();
      return tools.split('"status":"connected"').length > 2;
    });
    const both = ['one', 'two'].map((server) => `{ tool: ${server}__echo, arguments: { message: "${server}" } }`);
    const operations = `workload.steady.operations=[${both.join(', ')}]`;
    const { succeeded } = await runBaseline(['--target', target, '--transport', 'sse', '--set', operations]);
    expect(Object.keys(succeeded).toSorted()).toEqual(['one__echo', 'two__echo']);
  });
});
