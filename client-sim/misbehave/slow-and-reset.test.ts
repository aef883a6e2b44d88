import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { median } from '../../tests/support/calls.js';
import { describeWith, missingLinux } from '../../tests/support/needs.js';
import { until } from '../../tests/support/until.js';
import { ChannelProbe } from '../transport/testing/channel-probe.js';
import {
  answer,
  framesOf,
  type React,
  type RecordedConnection,
  startRecordingServer,
} from './testing/recording-server.js';

const wires = ['websocket', 'tcp', 'sse'] as const;

describe('a slow writer, as the server sees it', () => {
  test.each(wires)(
    'over %s sends its bytes in small pieces, the handshake and every request, and no piece of it twice',
    async (transport) => {
      const recordingServer = await startRecordingServer(transport);
      const startedMs = performance.now();
      const probe = await new ChannelProbe(recordingServer.url, { transport, writeBytesPerSecond: 500 }).open();
      expect(await probe.call()).toEqual(['correct']);
      const seconds = (performance.now() - startedMs) / 1000;
      const sent = recordingServer.connections.reduce((sum, { bytes }) => sum + bytes.length, 0);
      expect(probe.counters.bytesSent).toBe(sent);
      // 50 bytes each 100 ms; a server that is held up finds several pieces at once.
      expect(median(recordingServer.connections.flatMap(({ reads }) => reads))).toBeLessThanOrEqual(200);
      // Sockets trickle side by side, so the longest is what takes the time; but the first piece of each of at most
      // four flushes goes at once.
      const longest = Math.max(...recordingServer.connections.map(({ bytes }) => bytes.length));
      expect(seconds).toBeGreaterThan(((longest - 4 * 50) / 500) * 0.9);
      expect(Math.max(...recordingServer.connections.map(({ reads }) => reads.length))).toBeGreaterThan(1);
      await probe.close('delete');
      if (transport === 'websocket')
        await until(
          'its goodbye',
          () => framesOf(recordingServer.connections[0] as RecordedConnection).at(-1)?.first === 0x88,
        );
    },
  );
});

/**
 * What the kernel knows of the server's side of a connection (proc(5), /proc/net/tcp); undefined where it does not
 * tell.
 */
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

/** So much that no buffers on the way can hold it, and less than the longest message taken. */
const flood: React = ({ id }, say) =>
  say({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'x'.repeat(12_000_000) }] } });

describeWith(missingLinux, 'a slow reader, as the kernel of the server sees it', () => {
  test.each(wires)('over %s closes its window', async (transport) => {
    const recordingServer = await startRecordingServer(transport, flood);
    const probe = await new ChannelProbe(recordingServer.url, { transport, readBytesPerSecond: 20_000 }).open();
    probe.put();
    probe.channel.flush();
    const told = await until(
      'a window that is closed',
      () => recordingServer.connections.map(({ socket }) => kernelOf(socket)).find((one) => one?.probesWindow === true),
      60_000,
    );
    expect(told.unsentBytes).toBeGreaterThan(0);
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
      await until('all its connections to be ended', () =>
        recordingServer.connections.every((seen) => seen.end !== undefined),
      );
      // The 202 to a post may not have been read yet, which turns a close into a reset.
      const told = recordingServer.connections.filter(({ bytes }) => how === 'reset' || !bytes.includes('POST '));
      expect(told.map((seen) => seen.end)).toEqual(told.map(() => end));
      // Neither says goodbye.
      if (transport === 'websocket')
        expect(framesOf(recordingServer.connections[0] as RecordedConnection).map(({ first }) => first)).toEqual([
          0x81, 0x81, 0x81,
        ]);
    }
  });
});

test('a slow writer that is told to leave lets go of what it has not sent', async () => {
  const recordingServer = await startRecordingServer('tcp', answer);
  const probe = await new ChannelProbe(recordingServer.url, { transport: 'tcp', writeBytesPerSecond: 1000 }).open();
  probe.put();
  probe.channel.flush();
  await probe.close('abandon');
  await until('the connection to be ended', () => recordingServer.connections[0]?.end !== undefined);
  const { bytesSent } = probe.counters;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(probe.counters.bytesSent).toBe(bytesSent);
});
