import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { type AbortKind, abortKinds, type MalformedKind } from '../../scenarios/schema/misbehave.js';
import { factsOf } from '../../scenarios/schema/transports.js';
import {
  answer,
  type CutFrame,
  framesOf,
  type React,
  type RecordedConnection,
  type RecordingServer,
  startRecordingServer,
} from '../../tests/support/misbehave/recording-server.js';
import { ChannelProbe, MODERN, type Outcome } from '../../tests/support/transport/channel-probe.js';
import { until } from '../../tests/support/until.js';

type Transport = 'websocket' | 'tcp' | 'sse';
type Options = ConstructorParameters<typeof ChannelProbe>[1];

const silent: React = () => undefined;

/** Sends one malformed operation, which gets a session beside the probe's own. */
async function malformed(
  transport: Transport,
  kind: MalformedKind,
  more: Options = {},
): Promise<{ readonly outcome: Outcome; readonly recordingServer: RecordingServer }> {
  const recordingServer = await startRecordingServer(transport);
  const probe = await new ChannelProbe(recordingServer.url, {
    transport,
    malformed: { share: 1, kinds: [kind], oversizeBytes: 200_000 },
    ...more,
  }).open();
  expect(probe.openFailure).toBeUndefined();
  const own = recordingServer.connections.length;
  const [outcome = 'waiting'] = await probe.call();
  // The session's own connections are not affected.
  for (const { socket, end } of recordingServer.connections.slice(0, own))
    expect([socket.destroyed, end]).toEqual([false, undefined]);
  return { outcome, recordingServer };
}

function last({ connections }: RecordingServer): RecordedConnection {
  return connections.at(-1) as RecordedConnection;
}

function text(frame: CutFrame | undefined): string {
  return frame?.payload.toString('utf8') ?? '';
}
function asJson(line: string): { readonly id?: number; readonly method?: string } {
  return JSON.parse(line) as { id?: number; method?: string };
}

describe('malformed over websocket: the bytes that the server gets, and how the client judges its reaction', () => {
  test.each<[MalformedKind, Outcome, (frame: CutFrame) => void]>([
    [
      'broken-json',
      'stream_lost',
      (frame) => {
        expect([frame.first, frame.isMasked, frame.isWhole]).toEqual([0x81, true, true]);
        expect(() => asJson(text(frame))).toThrow();
      },
    ],
    ['unknown-method', 'rpc_-32601', (frame) => expect(asJson(text(frame)).method).toBe('swarmbench/no-such-method')],
    [
      'oversize',
      'correct',
      (frame) => {
        expect(frame.length).toBe(200_000n);
        expect(asJson(text(frame)).method).toBe('tools/call');
      },
    ],
    [
      'not-utf8',
      'correct',
      (frame) => {
        expect([frame.first, frame.isWhole, isUtf8(frame.payload)]).toEqual([0x81, true, false]);
        expect(asJson(frame.payload.toString('latin1')).method).toBe('tools/call');
      },
    ],
    [
      'wrong-framing',
      'stream_lost',
      (frame) => expect([frame.first, frame.isMasked, asJson(text(frame)).method]).toEqual([0x80, true, 'tools/call']),
    ],
    [
      'unmasked',
      'stream_lost',
      (frame) => expect([frame.first, frame.isMasked, asJson(text(frame)).method]).toEqual([0x81, false, 'tools/call']),
    ],
    [
      'reserved-bits',
      'stream_lost',
      (frame) => expect([frame.first, frame.isMasked, asJson(text(frame)).method]).toEqual([0xf1, true, 'tools/call']),
    ],
    [
      'bad-opcode',
      'stream_lost',
      (frame) => expect([frame.first, frame.isMasked, asJson(text(frame)).method]).toEqual([0x83, true, 'tools/call']),
    ],
  ])('%s', async (kind, expected, seen) => {
    const { outcome, recordingServer } = await malformed('websocket', kind);
    expect(outcome).toBe(expected);
    const [initialize, initialized, malformedFrame, ...more] = framesOf(last(recordingServer));
    expect([asJson(text(initialize)).method, asJson(text(initialized)).method]).toEqual([
      'initialize',
      'notifications/initialized',
    ]);
    expect(more).toEqual([]);
    seen(malformedFrame as CutFrame);
  });

  test('huge-length: a frame announces 2^62 bytes, and holds one message', async () => {
    const recordingServer = await startRecordingServer('websocket');
    const probe = await new ChannelProbe(recordingServer.url, {
      transport: 'websocket',
      pinned: MODERN,
      malformed: { share: 1, kinds: ['huge-length'], oversizeBytes: 1 },
    }).open();
    const ticket = probe.sendUnflushed();
    probe.channel.flush();
    const [frame] = await until('the frame', () =>
      recordingServer.connections.length === 2 &&
      framesOf(last(recordingServer))[0]?.payload.includes('tools/call') === true
        ? framesOf(last(recordingServer))
        : undefined,
    );
    expect(frame).toMatchObject({ first: 0x81, isMasked: true, length: 2n ** 62n, isWhole: false });
    // The server waits for the rest; the client abandons the request and closes the connection.
    expect(probe.outcomes[ticket]).toBe('waiting');
    probe.channel.abandon(ticket);
    await until('the connection to be closed', () => last(recordingServer).end !== undefined);
  });

  test('duplicate-id: the same frame twice, and the client waits for both answers', async () => {
    const { outcome, recordingServer } = await malformed('websocket', 'duplicate-id', { pinned: MODERN });
    expect(outcome).toBe('correct');
    const frames = framesOf(last(recordingServer));
    expect(frames.map(text)).toEqual([text(frames[0]), text(frames[0])]);
    expect(recordingServer.connections).toHaveLength(2);
  });

  test('these are all kinds that planning allows', () => {
    const tried = [
      'broken-json',
      'unknown-method',
      'oversize',
      'not-utf8',
      'wrong-framing',
      'unmasked',
      'reserved-bits',
      'bad-opcode',
      'huge-length',
      'duplicate-id',
    ];
    expect([...factsOf('websocket').misbehaviour.malformed].sort()).toEqual(tried.sort());
  });
});

/** The lines after the handshake. */
function linesOf({ bytes }: RecordedConnection): readonly string[] {
  return bytes.toString('latin1').split('\n').slice(0, -1).slice(2);
}

describe('malformed over tcp', () => {
  test.each<[MalformedKind, Outcome, (lines: readonly string[], seen: RecordedConnection) => void]>([
    [
      'broken-json',
      'rpc_-32700',
      ([line = '', ...more]) => {
        expect(() => asJson(line)).toThrow();
        expect(more).toEqual([]);
      },
    ],
    [
      'wrong-framing',
      'rpc_-32700',
      (lines) => {
        expect(lines).toHaveLength(2);
        expect(asJson(lines.join('\n')).method).toBe('tools/call');
        for (const line of lines) expect(() => asJson(line)).toThrow();
      },
    ],
    ['unknown-method', 'rpc_-32601', ([line = '']) => expect(asJson(line).method).toBe('swarmbench/no-such-method')],
    ['duplicate-id', 'correct', (lines) => expect(lines).toEqual([lines[0], lines[0]])],
    [
      'oversize',
      'correct',
      ([line = '']) => expect([line.length, asJson(line).method]).toEqual([200_000, 'tools/call']),
    ],
    [
      'not-utf8',
      'correct',
      ([line = ''], { bytes }) => expect([isUtf8(bytes), asJson(line).method]).toEqual([false, 'tools/call']),
    ],
  ])('%s', async (kind, expected, see) => {
    const { outcome, recordingServer } = await malformed('tcp', kind);
    expect(outcome).toBe(expected);
    expect(recordingServer.connections).toHaveLength(2);
    see(linesOf(last(recordingServer)), last(recordingServer));
  });
});

/** Head and body of the last POST on the connection. */
function posted({ bytes }: RecordedConnection): { readonly head: string; readonly body: Buffer } {
  const at = bytes.lastIndexOf('POST ');
  const blank = bytes.indexOf('\r\n\r\n', at);
  return { head: bytes.toString('latin1', at, blank), body: bytes.subarray(blank + 4) };
}

describe('malformed over sse: in a stream of its own', () => {
  test.each<[MalformedKind, Outcome, (post: { readonly head: string; readonly body: Buffer }) => void]>([
    ['broken-json', 'http_400', ({ body }) => expect(() => asJson(String(body))).toThrow()],
    [
      'wrong-framing',
      'http_400',
      ({ head, body }) => {
        expect(head).toContain('transfer-encoding: chunked');
        expect(String(body)).toMatch(/^zz\r\n\{/);
      },
    ],
    [
      'unknown-method',
      'rpc_-32601',
      ({ body }) => expect(asJson(String(body)).method).toBe('swarmbench/no-such-method'),
    ],
    ['duplicate-id', 'correct', ({ body }) => expect(asJson(String(body)).method).toBe('tools/call')],
    [
      'oversize',
      'correct',
      ({ head, body }) => expect([/content-length: (\d+)/.exec(head)?.[1], body.length]).toEqual(['200000', 200_000]),
    ],
    [
      'not-utf8',
      'correct',
      ({ body }) => expect([isUtf8(body), asJson(body.toString('latin1')).method]).toEqual([false, 'tools/call']),
    ],
  ])('%s', async (kind, expected, see) => {
    const { outcome, recordingServer } = await malformed('sse', kind);
    expect(outcome).toBe(expected);
    const posts = recordingServer.connections.filter(({ bytes }) => bytes.includes('POST '));
    expect(posts).toHaveLength(2);
    see(posted(last({ ...recordingServer, connections: posts })));
    // It goes to the session of its own stream.
    expect(posted(posts[1] as RecordedConnection).head).toMatch(/^POST \/messages\?session=1 /);
  });
});

/** The connections of an aborted operation, as the server saw them. */
async function aborted(
  transport: Transport,
  kind: AbortKind,
  how: 'close' | 'reset',
  react: React,
): Promise<{ readonly seen: readonly RecordedConnection[]; readonly detail: string }> {
  const recordingServer = await startRecordingServer(transport, react);
  const probe = await new ChannelProbe(recordingServer.url, {
    transport,
    abort: { share: 1, kinds: [kind], how },
  }).open();
  const own = recordingServer.connections.length;
  expect(await probe.call()).toEqual(['aborted_by_us']);
  const seen = await until('its connections to be ended', () => {
    const others = recordingServer.connections.slice(own);
    return others.length > 0 && others.every(({ end }) => end !== undefined) ? others : undefined;
  });
  for (const { end } of recordingServer.connections.slice(0, own)) expect(end).toBeUndefined();
  return { seen, detail: probe.lastFailure?.detail ?? '' };
}

const cases = (['websocket', 'tcp', 'sse'] as const).flatMap((transport) =>
  factsOf(transport).misbehaviour.aborts.map((kind) => [transport, kind] as const),
);

describe('an aborted operation, as the server sees it', () => {
  test.each(cases)('over %s, %s, ends with FIN, or with RST where the plan says so', async (transport, kind) => {
    const react = kind === 'mid-answer' ? answer : silent;
    const { seen, detail } = await aborted(transport, kind, 'close', react);
    expect(abortKinds).toContain(kind);
    expect(detail).toContain('closed on purpose');
    const message = seen.map(({ bytes }) => bytes).find((bytes) => bytes.length > 0) ?? Buffer.alloc(0);
    // Unread bytes of an answer turn the close into a reset, also those of a 202 to a POST.
    const quiet = kind === 'mid-answer' ? [] : seen.filter(({ bytes }) => !bytes.includes('POST '));
    expect(quiet.map(({ end }) => end)).toEqual(quiet.map(() => 'FIN'));
    if (kind === 'mid-handshake')
      expect([message.includes('GET /mcp HTTP/1.1'), message.includes('\r\n\r\n')]).toEqual([true, false]);
    else see[transport](seen, kind);
    const reset = await aborted(transport, kind, 'reset', react);
    expect(reset.seen.map(({ end }) => end)).toEqual(reset.seen.map(() => 'RST'));
  });
});

const see: Readonly<Record<Transport, (seen: readonly RecordedConnection[], kind: AbortKind) => void>> = {
  websocket: ([connection], kind) => {
    const frames = framesOf(connection as RecordedConnection);
    expect(frames).toHaveLength(3);
    expect([frames[2]?.first, frames[2]?.isMasked, frames[2]?.isWhole]).toEqual([0x81, true, kind !== 'mid-request']);
    if (kind === 'mid-request')
      expect(2 * (frames[2]?.payload.length ?? 0)).toBeLessThanOrEqual(Number(frames[2]?.length));
  },
  tcp: ([connection], kind) => {
    const lines = (connection as RecordedConnection).bytes.toString('utf8').split('\n');
    expect(lines).toHaveLength(kind === 'mid-request' ? 3 : 4);
    if (kind === 'mid-request') expect(lines[2]).toMatch(/^\{"jsonrpc".*[^}]$/);
    else expect(asJson(lines[2] ?? '').method).toBe('tools/call');
  },
  sse: (connections, kind) => {
    const { head, body } = posted(connections.find(({ bytes }) => bytes.includes('POST ')) as RecordedConnection);
    const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
    expect(body.length).toBe(kind === 'mid-request' ? Math.floor(length / 2) : length);
    // Its stream is closed too.
    expect(connections.filter(({ bytes }) => bytes.includes('GET /mcp '))).toHaveLength(1);
  },
};
