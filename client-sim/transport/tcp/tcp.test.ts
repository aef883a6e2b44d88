import { describe, expect, test } from '@jest/globals';
import { ChannelProbe } from '../../../tests/support/transport/channel-probe.js';
import { result } from '../../../tests/support/transport/raw-server.js';
import { type MessageHandler, startSocketServer } from '../../../tests/support/transport/socket-server.js';

function open(url: string): Promise<ChannelProbe> {
  return new ChannelProbe(url, { transport: 'tcp', pipeline: 2 }).open();
}

test('lines may end with CRLF, be empty, and come in any pieces', async () => {
  const server = await startSocketServer('tcp', ({ id }, { socket }) => {
    const text = `\r\n\n${JSON.stringify(result(id, 'größe'))}\r\n`;
    for (const byte of Buffer.from(text)) socket.write(Buffer.from([byte]));
  });
  const probe = await open(server.url);
  for (let turn = 0; turn < 5; turn++) expect(await probe.call(2)).toEqual(['correct', 'correct']);
});

describe('a server that breaks the rules', () => {
  test.each<[string, MessageHandler, readonly string[]]>([
    [
      'with a line that is not JSON',
      (_message, { socket }) => void socket.write('hello\n'),
      ['protocol_violation', 'protocol_violation'],
    ],
    [
      'with a line that is not UTF-8',
      (_message, { socket }) => void socket.write(Buffer.from([0x7b, 0xff, 0x7d, 0x0a])),
      ['protocol_violation', 'stream_lost'],
    ],
  ])('%s', async (_what, handler, outcomes) => {
    const server = await startSocketServer('tcp', handler);
    expect(await (await open(server.url)).call(2)).toEqual(outcomes);
  });

  test('with an endless line costs no more memory than the limit', async () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    const server = await startSocketServer('tcp', (_message, { socket }) => {
      const more = (): void => {
        if (!socket.destroyed) socket.write(piece, more);
      };
      more();
    });
    const probe = await open(server.url);
    expect(await probe.call()).toEqual(['answer_limit']);
    expect(probe.lastFailure?.detail).toContain('a line of more than 16777216 bytes');
    expect(probe.counters.bytesReceived).toBeLessThan(20_000_000);
  });
});

test.each(['tcp://127.0.0.1', 'ftp://127.0.0.1:1'])('%s is refused', (url) => {
  expect(() => new ChannelProbe(url, { transport: 'tcp' })).toThrow('tcp URL with a port');
});
