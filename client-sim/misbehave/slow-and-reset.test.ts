import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { median } from '../../tests/support/calls.js';
import { selfSigned } from '../../tests/support/certificates.js';
import {
  answer,
  framesOf,
  type React,
  type RecordedConnection,
  startRecordingServer,
} from '../../tests/support/misbehave/recording-server.js';
import { describeWith, missingLinux } from '../../tests/support/needs.js';
import { onTestEnd } from '../../tests/support/test-end.js';
import { ChannelProbe, MODERN } from '../../tests/support/transport/channel-probe.js';
import { correct, legacy, type RawHandler, startRawServer } from '../../tests/support/transport/raw-server.js';
import { until } from '../../tests/support/until.js';

const wires = ['websocket', 'tcp', 'sse'] as const;

describe('a slow writer, as the server sees it', () => {
  test.each(wires)(
    'over %s sends the handshake and every request in small pieces, each of them once',
    async (transport) => {
      const recordingServer = await startRecordingServer(transport);
      const startedMs = performance.now();
      const probe = await new ChannelProbe(recordingServer.url, { transport, writeBytesPerSecond: 500 }).open();
      expect(await probe.call()).toEqual(['correct']);
      const seconds = (performance.now() - startedMs) / 1000;
      const sent = recordingServer.connections.reduce((sum, { bytes }) => sum + bytes.length, 0);
      expect(probe.counters.bytesSent).toBe(sent);
      // 50 bytes every 100 ms; a delayed server reads several pieces at once.
      expect(median(recordingServer.connections.flatMap(({ reads }) => reads))).toBeLessThanOrEqual(200);
      // Sockets write in parallel, so the longest determines the time; the first piece of each of at most four flushes
      // leaves at once.
      const longest = Math.max(...recordingServer.connections.map(({ bytes }) => bytes.length));
      expect(seconds).toBeGreaterThan(((longest - 4 * 50) / 500) * 0.9);
      expect(Math.max(...recordingServer.connections.map(({ reads }) => reads.length))).toBeGreaterThan(1);
      await probe.close('delete');
      if (transport === 'websocket')
        await until(
          'its close frame',
          () => framesOf(recordingServer.connections[0] as RecordedConnection).at(-1)?.first === 0x88,
        );
    },
  );
});

/** The kernel's state of the server's side of a connection (proc(5), /proc/net/tcp); undefined where it has none. */
function kernelOf({
  localPort = 0,
  remotePort = 0,
}: Socket): { readonly unsentBytes: number; readonly probesWindow: boolean } | undefined {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local = '', remote = '']) => local.endsWith(hex(localPort)) && remote.endsWith(hex(remotePort)));
  if (row === undefined) return undefined;
  // Timer 4 runs while the peer's window is closed (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
  return {
    unsentBytes: Number.parseInt(row[4]?.split(':')[0] ?? '', 16),
    probesWindow: row[5]?.startsWith('04:') === true,
  };
}

/** More than all buffers on the way can hold, and less than the longest message accepted. */
const flood: React = ({ id }, send) =>
  send({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'x'.repeat(12_000_000) }] } });

describeWith(missingLinux, 'a slow reader, as the kernel of the server sees it', () => {
  test.each(wires)('over %s closes its window', async (transport) => {
    const recordingServer = await startRecordingServer(transport, flood);
    const probe = await new ChannelProbe(recordingServer.url, { transport, readBytesPerSecond: 20_000 }).open();
    probe.sendUnflushed();
    probe.channel.flush();
    const state = await until(
      'the window to be closed',
      () => recordingServer.connections.map(({ socket }) => kernelOf(socket)).find((one) => one?.probesWindow === true),
      60_000,
    );
    expect(state.unsentBytes).toBeGreaterThan(0);
    expect(probe.counters.bytesReceived).toBeLessThan(1_000_000);
  });
});

describe('a session that ends', () => {
  test.each(wires)('over %s by reset is seen as RST, and by abandon as FIN', async (transport) => {
    for (const [how, end] of [
      ['reset', 'RST'],
      ['abandon', 'FIN'],
    ] as const) {
      const recordingServer = await startRecordingServer(transport);
      const probe = await new ChannelProbe(recordingServer.url, { transport }).open();
      expect(await probe.call()).toEqual(['correct']);
      await probe.close(how);
      await until('all its connections to end', () =>
        recordingServer.connections.every((seen) => seen.end !== undefined),
      );
      // The 202 to a post may not have been read yet, which turns a close into a reset.
      const ended = recordingServer.connections.filter(({ bytes }) => how === 'reset' || !bytes.includes('POST '));
      expect(ended.map((seen) => seen.end)).toEqual(ended.map(() => end));
      // Neither sends a close frame.
      if (transport === 'websocket')
        expect(framesOf(recordingServer.connections[0] as RecordedConnection).map(({ first }) => first)).toEqual([
          0x81, 0x81, 0x81,
        ]);
    }
  });
});

test('a slow writer that is closed drops the bytes it has not sent', async () => {
  const recordingServer = await startRecordingServer('tcp', answer);
  const probe = await new ChannelProbe(recordingServer.url, { transport: 'tcp', writeBytesPerSecond: 1000 }).open();
  probe.sendUnflushed();
  probe.channel.flush();
  await probe.close('abandon');
  await until('the connection to end', () => recordingServer.connections[0]?.end !== undefined);
  const { bytesSent } = probe.counters;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(probe.counters.bytesSent).toBe(bytesSent);
});

const certificate = selfSigned();

/** How the server saw its HTTP connections end. */
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
  await until('both sockets to be closed', () => server.open === 0 && seen.length >= 2);
  return seen.slice(0, 2);
}

describe('an HTTP session that ends with', () => {
  test.each([false, true])('reset is seen as RST by the server (over TLS: %s)', async (secure) => {
    expect(await ends('reset', secure)).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  test.each([false, true])('abandon is seen as FIN (over TLS: %s)', async (secure) => {
    expect(await ends('abandon', secure)).toEqual(['FIN', 'FIN']);
  });
});

test('a slow writer over HTTP sends small pieces, no faster than its rate', async () => {
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
  probe.sendUnflushed();
  probe.channel.flush();
  const total = (): number => pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  await until('the request to arrive', () => total() > 400 && pieces.at(-1)?.bytes !== 100, 30_000);
  // 100 bytes each 100 ms, the first at once.
  const lastMs = (pieces.at(-1)?.atMs ?? 0) - startedMs;
  expect(lastMs).toBeGreaterThan((total() / 1000 - 0.1) * 1000 * 0.9);
  expect(pieces.filter(({ bytes }) => bytes === 100).length).toBeGreaterThan(0);
  expect(probe.counters.bytesSent).toBe(total());
});

test('a slow writer over HTTP stops when its connection is closed', async () => {
  const server = await startRawServer(() => undefined);
  const probe = await new ChannelProbe(server.url, { pinned: MODERN, writeBytesPerSecond: 10 }).open();
  probe.sendUnflushed();
  probe.channel.flush();
  await until('the first bytes to leave', () => probe.counters.bytesSent > 0);
  await probe.close('abandon');
  const sent = probe.counters.bytesSent;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(probe.counters.bytesSent).toBe(sent);
});
