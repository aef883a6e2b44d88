import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { selfSigned } from '../../tests/support/certificates.js';
import { onTestEnd } from '../../tests/support/test-end.js';
import { until } from '../../tests/support/until.js';
import { ChannelProbe, MODERN } from './testing/channel-probe.js';
import { correct, legacy, type RawHandler, startRawServer } from './testing/raw-server.js';

const certificate = selfSigned();

/** How the server saw its connections end. */
async function ends(how: 'abandon' | 'reset', secure: boolean): Promise<readonly string[]> {
  const seen: string[] = [];
  const watched = new WeakSet<object>();
  const handler: RawHandler = ({ message }, socket) => {
    if (!watched.has(socket)) {
      watched.add(socket);
      socket.once('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? ''));
      socket.once('end', () => seen.push('FIN'));
    }
    socket.write(correct(message.id));
  };
  const server = await startRawServer(legacy(handler), secure ? certificate : undefined);
  const probe = await new ChannelProbe(server.url, {
    connections: 2,
    resettable: how === 'reset',
    tls: { insecure: true },
  }).open();
  expect(await probe.call(2)).toEqual(['correct', 'correct']);
  await probe.close(how);
  await until('both sockets to be gone', () => server.open === 0 && seen.length >= 2);
  return seen.slice(0, 2);
}

describe('a session that ends with', () => {
  test.each([false, true])('reset is seen as RST by the server (over TLS: %s)', async (secure) => {
    expect(await ends('reset', secure)).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  test.each([false, true])('abandon is seen as FIN (over TLS: %s)', async (secure) => {
    expect(await ends('abandon', secure)).toEqual(['FIN', 'FIN']);
  });
});

test('a slow writer lets its bytes trickle, in small pieces and not faster than told', async () => {
  const pieces: { readonly atMs: number; readonly bytes: number }[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => pieces.push({ atMs: performance.now(), bytes: bytes.length }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(() => server.close());
  const probe = await new ChannelProbe(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, {
    pinned: MODERN,
    writeBytesPerSecond: 1000,
  }).open();
  const startedMs = performance.now();
  probe.put();
  probe.channel.flush();
  const total = (): number => pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  await until('the request to come', () => total() > 400 && pieces.at(-1)?.bytes !== 100, 30_000);
  // 100 bytes each 100 ms, the first at once.
  const lastMs = (pieces.at(-1)?.atMs ?? 0) - startedMs;
  expect(lastMs).toBeGreaterThan((total() / 1000 - 0.1) * 1000 * 0.9);
  expect(pieces.filter(({ bytes }) => bytes === 100).length).toBeGreaterThan(0);
  expect(probe.counters.bytesSent).toBe(total());
});

test('a slow writer that is cut takes its timer along', async () => {
  const server = await startRawServer(() => undefined);
  const probe = await new ChannelProbe(server.url, { pinned: MODERN, writeBytesPerSecond: 10 }).open();
  probe.put();
  probe.channel.flush();
  await until('the first bytes to leave', () => probe.counters.bytesSent > 0);
  await probe.close('abandon');
  const sent = probe.counters.bytesSent;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(probe.counters.bytesSent).toBe(sent);
});

describe('connections that are broken off', () => {
  test('come back at once, in the same session; what was on the wire is our doing', async () => {
    let answers = true;
    const server = await startRawServer(
      legacy(({ message }, socket) => void (answers && socket.write(correct(message.id)))),
    );
    const probe = await new ChannelProbe(server.url, { connections: 3 }).open();
    answers = false;
    const tickets = [probe.put(), probe.put()];
    probe.channel.flush();
    await until('both requests to arrive', () => server.requests.length === 4);
    probe.channel.disconnect?.();
    expect(tickets.map((ticket) => probe.fates[ticket])).toEqual(['aborted_by_us', 'aborted_by_us']);
    await until('all three to be back', () => server.connectionsOpened === 6 && probe.counters.connectionsActive === 3);
    answers = true;
    expect(await probe.call(3)).toEqual(['correct', 'correct', 'correct']);
    expect(new Set(server.requests.slice(2).map(({ headers }) => headers['mcp-session-id']))).toEqual(
      new Set(['session-1']),
    );
    expect(server.requests.filter(({ message }) => message.method === 'initialize')).toHaveLength(1);
    expect(probe.closed).toBeUndefined();
  });
});
