import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { buildRoot } from '../../../tests/support/package-root.js';
import { isAlive } from '../../../tests/support/program.js';
import { onTestEnd } from '../../../tests/support/test-end.js';
import { ChannelProbe, COUNTED } from '../../../tests/support/transport/channel-probe.js';
import { until } from '../../../tests/support/until.js';
import { negotiate } from '../../preflight/negotiate.js';

const initializeResult = JSON.stringify({
  protocolVersion: '2025-11-25',
  capabilities: {},
  serverInfo: { name: 'piped', version: '1' },
});

/** A server program: it does the handshake, then runs `act(message, send)`, and writes its process id to PIDS. */
function serverThat(
  act: string,
  more = '',
): {
  readonly command: readonly string[];
  readonly env: Record<string, string>;
  readonly pids: () => readonly number[];
} {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-stdio-'));
  onTestEnd(() => rmSync(folder, { recursive: true, force: true }));
  const pids = join(folder, 'pids');
  writeFileSync(pids, '');
  const program = `
    const fs = require('node:fs');
    fs.appendFileSync(process.env.PIDS, process.pid + '\\n');
    const send = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
    const result = (id) => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'fine' }] } });
    const act = (message) => { ${act} };
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.method === 'initialize') send({ jsonrpc: '2.0', id: message.id, result: ${initializeResult} });
      else if (message.id !== undefined) act(message);
    });
    ${more}`;
  return {
    command: [process.execPath, '-e', program],
    env: { PIDS: pids },
    pids: () =>
      readFileSync(pids, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map(Number),
  };
}

type Server = ReturnType<typeof serverThat>;

async function open(
  { command, env }: Pick<Server, 'command' | 'env'>,
  options: ConstructorParameters<typeof ChannelProbe>[1] = {},
): Promise<ChannelProbe> {
  return new ChannelProbe('stdio://localhost', {
    transport: 'stdio',
    server: { command, env, inherited: { PATH: process.env.PATH ?? '' } },
    ...options,
  }).open();
}

function allGone(server: Server): Promise<true> {
  return until(
    'its processes to end',
    () => server.pids().length > 0 && server.pids().every((pid) => !isAlive(pid)),
    15_000,
  );
}

describe('a session over the pipes of a process', () => {
  test('reads answers in any order, and ends the process with the session', async () => {
    const server = serverThat(`
      (globalThis.held ??= []).push(message.id);
      if (held.length === 4) for (const id of held.splice(0).reverse()) send(result(id));
    `);
    const probe = await open(server, { pipeline: 4 });
    expect(probe.openFailure).toBeUndefined();
    for (let round = 0; round < 20; round++) expect(await probe.call(4, COUNTED)).toEqual(new Array(4).fill('correct'));
    expect(probe.counters).toMatchObject({
      messagesSent: 82,
      messagesReceived: 81,
      connectionsOpened: 1,
      connectionsActive: 1,
    });
    expect(server.pids().map(isAlive)).toEqual([true]);
    await probe.close('delete');
    await allGone(server);
    expect(probe.counters.connectionsActive).toBe(0);
  }, 30_000);

  test('the process gets the variables of a shell and its own, and none of ours', async () => {
    process.env.SWARMBENCH_WORKER_TOKEN = 'ours';
    onTestEnd(() => delete process.env.SWARMBENCH_WORKER_TOKEN);
    const server = serverThat(`
      const names = Object.keys(process.env).sort().join(' ');
      send({ jsonrpc: '2.0', id: message.id, error: { code: -32000, message: names } });
    `);
    const probe = await open(server);
    expect(await probe.call()).toEqual(['rpc_-32000']);
    expect(probe.lastFailure?.detail).toMatch(/: PATH PIDS$/);
    expect(probe.lastFailure?.detail).not.toContain('TOKEN');
  }, 30_000);

  test('preflight works over it, and finds the era', async () => {
    const server = serverThat(`
      const outcome = message.method === 'ping' ? { result: {} } : { error: { code: -32601, message: 'no' } };
      send({ jsonrpc: '2.0', id: message.id, ...outcome });
    `);
    const found = await negotiate(
      { url: 'stdio://localhost', headers: {}, server: { ...server, inherited: {} } },
      'auto',
      { transport: 'stdio' },
    );
    expect(found).toMatchObject({
      ok: true,
      pinned: { era: 'legacy', version: '2025-11-25' },
      serverInfo: { name: 'piped' },
    });
    expect(await found.session.request('ping')).toMatchObject({ failure: undefined });
    await found.session.close();
    await allGone(server);
  }, 30_000);

  test('a line of any length arrives whole', async () => {
    const server = serverThat(
      "send({ jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text: 'x'.repeat(3_000_000) }] } });",
    );
    expect(await (await open(server)).call()).toEqual(['correct']);
  }, 30_000);
});

describe('a process that misbehaves', () => {
  test('cannot be started', async () => {
    const probe = await open({ command: ['/no/such/program'], env: {} });
    expect(probe.openFailure).toMatchObject({ category: 'connect', detail: expect.stringContaining('ENOENT') });
  });

  test('dies at once: its stderr is in the sample, without secrets', async () => {
    const command = [
      process.execPath,
      '-e',
      "console.error('cannot find the key ' + process.env.KEY); process.exit(3)",
    ];
    const probe = await open({ command, env: { KEY: 'very-secret' } });
    expect(probe.openFailure).toMatchObject({
      category: 'stream_lost',
      detail: expect.stringContaining('ended with code 3'),
    });
    expect(probe.openFailure?.sample?.response).toContain('cannot find the key ***');
  }, 30_000);

  test('dies within an answer: all requests in flight and the session are lost', async () => {
    const server = serverThat(`
      const half = JSON.stringify(result(message.id)).slice(0, 20);
      process.stdout.write(half, () => process.kill(process.pid, 'SIGKILL'));
    `);
    const probe = await open(server, { pipeline: 2 });
    expect(await probe.call(2)).toEqual(['stream_lost', 'stream_lost']);
    expect(probe.lastFailure?.detail).toContain('SIGKILL');
    await until('the session to be lost', () => probe.closed === 'lost');
    await allGone(server);
  }, 30_000);

  test('answers that it wrote before it died still count', async () => {
    const server = serverThat(
      'send(result(message.id)); process.exitCode = 0; process.stdout.write("", () => process.exit());',
    );
    expect(await (await open(server)).call()).toEqual(['correct']);
  }, 30_000);

  test.each([
    ['garbage', "process.stdout.write('Listening...\\n')", 'protocol_violation'],
    ['an endless line', "const more = () => process.stdout.write('x'.repeat(1_000_000), more); more()", 'answer_limit'],
    ['an answer to no request', 'send(result(7))', 'protocol_violation'],
  ])(
    'writes %s',
    async (_name, act, category) => {
      const server = serverThat(act);
      const probe = await open(server);
      expect(await probe.call()).toEqual([category]);
      expect(probe.counters.bytesReceived).toBeLessThan(40_000_000);
      probe.channel.destroy();
      await allGone(server);
    },
    30_000,
  );

  test('never answers initialize', async () => {
    const probe = await open(
      { command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], env: {} },
      { openTimeoutMs: 1000 },
    );
    expect(probe.openFailure?.category).toBe('timeout');
  }, 30_000);

  test('never answers: requests are abandoned, and finally the session is lost', async () => {
    const server = serverThat('');
    const probe = await open(server, { pipeline: 3 });
    for (let index = 0; index < 3; index++) {
      const ticket = probe.sendUnflushed();
      probe.channel.flush();
      probe.channel.abandon(ticket);
    }
    await until('the session to be lost', () => probe.closed === 'lost');
    await allGone(server);
  }, 30_000);

  test('floods stderr: it is read and not kept', async () => {
    const server = serverThat(
      "for (let i = 0; i < 200; i++) process.stderr.write('e'.repeat(10_000)); send(result(message.id));",
    );
    expect(await (await open(server)).call()).toEqual(['correct']);
  }, 30_000);

  test.each(['delete', 'reset'] as const)(
    'does not end by itself and leaves children behind: %s ends them all',
    async (how) => {
      const ignoreSignals = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
      const child = `require('node:fs').appendFileSync(process.env.PIDS, process.pid + '\\n'); ${ignoreSignals}`;
      const startChild =
        "require('node:child_process').spawn(process.execPath, ['-e', " +
        `${JSON.stringify(child)}], { stdio: 'ignore' });`;
      const server = serverThat('send(result(message.id));', `${ignoreSignals} ${startChild}`);
      const probe = await open(server);
      expect(await probe.call()).toEqual(['correct']);
      await until('its child to run', () => server.pids().length === 2, 15_000);
      await probe.close(how);
      await allGone(server);
    },
    40_000,
  );

  test('does not outlive the worker, even one that is killed', async () => {
    const server = serverThat('', 'process.stdin.destroy(); setInterval(() => {}, 1000);');
    const module = pathToFileURL(join(buildRoot, 'client-sim/transport/stdio/server-process.js')).href;
    const command = JSON.stringify({ command: server.command, env: server.env, inherited: {} });
    const program = `
      const { ServerProcess } = await import(${JSON.stringify(module)});
      new ServerProcess({ onOutput() {}, onEnded() {} }, ${command}, () => undefined);
      setInterval(() => {}, 1000);`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    onTestEnd(() => worker.kill('SIGKILL'));
    await until('the server to run', () => server.pids().length === 1, 15_000);
    worker.kill('SIGKILL');
    await allGone(server);
  }, 40_000);
});

describe('misbehaviour over the pipes of a process', () => {
  /** The lines that the processes of all sessions read and did not understand. */
  const listening = (): Server & { readonly lines: () => readonly string[] } => {
    const server = serverThat('send(result(message.id));', '');
    const linesFile = `${server.env.PIDS}.lines`;
    const program = `
      const fs = require('node:fs');
      fs.appendFileSync(process.env.PIDS, process.pid + '\\n');
      const send = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        fs.appendFileSync('${linesFile}', line + '\\n');
        let message;
        try {
          message = JSON.parse(line);
        } catch {
          return send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
        }
        const answer = { content: [{ type: 'text', text: 'x'.repeat(200_000) }] };
        const result = message.method === 'initialize' ? ${initializeResult} : answer;
        if (message.id !== undefined) send({ jsonrpc: '2.0', id: message.id, result });
      });`;
    return {
      ...server,
      command: [process.execPath, '-e', program],
      lines: () => readFileSync(linesFile, 'utf8').split('\n').slice(0, -1),
    };
  };

  test('a malformed line goes to a process of its own, which ends with it', async () => {
    const server = listening();
    const probe = await open(server, { malformed: { share: 1, kinds: ['broken-json'], oversizeBytes: 1 } });
    expect(await probe.call()).toEqual(['rpc_-32700']);
    const broken = server.lines().filter((line) => {
      try {
        return JSON.parse(line) === undefined;
      } catch {
        return true;
      }
    });
    expect(broken).toEqual([expect.stringMatching(/^\{"jsonrpc"/)]);
    expect(server.pids()).toHaveLength(2);
    await until('the end of the process that got it', () => !isAlive(server.pids()[1] as number), 15_000);
    expect(isAlive(server.pids()[0] as number)).toBe(true);
  }, 30_000);

  test('a slow writer and a slow reader keep to their rates', async () => {
    const server = listening();
    const startedAt = performance.now();
    const probe = await open(server, { writeBytesPerSecond: 400, readBytesPerSecond: 200_000 });
    expect(await probe.call()).toEqual(['correct']);
    const seconds = (performance.now() - startedAt) / 1000;
    // The first piece of each flush, the bytes of a tenth of a second, leaves at once.
    expect(seconds).toBeGreaterThan((probe.counters.bytesSent / 400) * 0.5);
    expect(seconds).toBeGreaterThan((probe.counters.bytesReceived / 200_000) * 0.8);
    expect(probe.counters.bytesReceived).toBeGreaterThan(200_000);
    await probe.close('delete');
    await allGone(server);
  }, 30_000);
});
