import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { listeningUrl, startProgram } from '../../tests/support/program.js';
import { tempFolder } from '../../tests/support/temp-folder.js';

const programs = ['swarm/reference-server/main.js', 'swarm/reference-server/sink.js'];
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

describe.each(programs)('%s', (entry) => {
  test('prints one line when it listens, and ends with 0 on SIGTERM', async () => {
    const program = startProgram(entry, ['--port', '0']);
    const url = await listeningUrl(program);
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    expect(program.stdout().split('\n')).toHaveLength(2);
    program.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  test('ends when its lease file is gone', async () => {
    const lease = join(tempFolder(), 'lease');
    writeFileSync(lease, '');
    const program = startProgram(entry, ['--port', '0', '--lease', lease]);
    await listeningUrl(program);
    rmSync(lease);
    expect(await program.ended).toBe(0);
    expect(program.stderr()).toContain('is gone');
  });

  test('exits with 2 for wrong arguments and with 1 for a port in use, and says why', async () => {
    const wrong = startProgram(entry, ['--answers', 'xml']);
    expect([await wrong.ended, wrong.stderr()]).toEqual([2, expect.stringContaining('--answers')]);
    const first = startProgram(entry, ['--port', '0']);
    const { port } = new URL(await listeningUrl(first));
    const second = startProgram(entry, ['--port', port]);
    expect([await second.ended, second.stderr()]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  });
});

test('the reference server lets a pending call finish before it ends', async () => {
  const program = startProgram('swarm/reference-server/main.js', ['--port', '0', '--sessions', 'stateless']);
  const url = await listeningUrl(program);
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'sleep', arguments: { ms: 400 } },
  });
  const call = fetch(url, { method: 'POST', headers, body });
  await new Promise((resolve) => setTimeout(resolve, 150));
  program.kill('SIGTERM');
  expect(await (await call).json()).toMatchObject({ id: 1, result: { content: [{ text: 'slept 400 ms' }] } });
  expect(await program.ended).toBe(0);
});
