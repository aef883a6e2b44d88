import { describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { SseParser } from './sse-parser.js';

interface Event {
  readonly type: string;
  readonly data: string;
}

function parse(pieces: readonly Buffer[]): {
  readonly events: readonly Event[];
  readonly id: string;
  readonly retryMs: number;
} {
  const parser = new SseParser();
  const shared = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)));
  const events: Event[] = [];
  for (const piece of pieces) {
    shared.fill('\n');
    piece.copy(shared);
    parser.feed(shared, 0, piece.length, {
      onEvent: (type, bytes, start, end) => void events.push({ type, data: bytes.toString('utf8', start, end) }),
    });
    parser.settle();
  }
  return { events, id: parser.lastEventId, retryMs: parser.retryMs };
}

/** The algorithm of the standard (WHATWG HTML, 9.2.6), over the whole stream at once. */
function reference(stream: Buffer): {
  readonly events: readonly Event[];
  readonly id: string;
  readonly retryMs: number;
} {
  const text = new TextDecoder().decode(stream);
  const lines = text.split(/\r\n|\r|\n/);
  // The rest after the last line ending is no line yet.
  lines.pop();
  const events: Event[] = [];
  let data: string[] = [];
  let type = '';
  let id = '';
  let idBuffer = '';
  let retryMs = -1;
  for (const line of lines) {
    if (line === '') {
      id = idBuffer;
      if (data.length > 0) events.push({ type: type === '' ? 'message' : type, data: data.join('\n') });
      data = [];
      type = '';
      continue;
    }
    const [, field = line, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (line.startsWith(':')) continue;
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) idBuffer = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  }
  return { events, id, retryMs };
}

const word = fc.constantFrom(
  'data',
  'event',
  'id',
  'retry',
  'datas',
  'dat',
  ':',
  ': ',
  ' ',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '1500',
  'größe',
  '€',
  '😀',
  '{"a":1}',
  'x'.repeat(300),
  '\0',
  '\ufeff',
);

test('any stream, however it is cut, gives the events that the standard defines', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), fc.array(fc.nat(2000), { maxLength: 10 }), (words, positions) => {
      const stream = Buffer.from(words.join(''));
      const cuts = [
        0,
        ...positions.map((position) => position % (stream.length + 1)).sort((a, b) => a - b),
        stream.length,
      ];
      const pieces = cuts.slice(1).map((end, index) => stream.subarray(cuts[index], end));
      expect(parse(pieces)).toEqual(reference(stream));
    }),
    { numRuns: 3000 },
  );
});

test('it agrees with the parser of the official client on the streams of MCP servers', () => {
  const stream = [
    ': keep-alive\n\n',
    'id: 5351cb15\ndata: \n\n',
    'event: message\nid: 6088942e\ndata: {"method":"notifications/progress"}\n\n',
    'retry: 250\n',
    'data: one\ndata: two\n\n',
    'event: endpoint\r\ndata:/messages\r\n\r\n',
    'data: {"result":{},"text":"größe €"}\n\n',
  ].join('');
  const theirs: Event[] = [];
  createParser({ onEvent: (event) => void theirs.push({ type: event.event ?? 'message', data: event.data }) }).feed(
    stream,
  );
  for (let at = 0; at <= stream.length; at++) {
    expect(parse([Buffer.from(stream.slice(0, at)), Buffer.from(stream.slice(at))]).events).toEqual(theirs);
  }
});

describe('fields', () => {
  test.each<[string, string, readonly Event[]]>([
    ['a byte order mark before the first line is no part of it', '\ufeffdata: a\n\n', [{ type: 'message', data: 'a' }]],
    ['only one space after the colon is dropped', 'data:  a\n\n', [{ type: 'message', data: ' a' }]],
    ['data without a value is data', 'data\n\n', [{ type: 'message', data: '' }]],
    ['lines of data are joined', 'data: a\ndata\ndata:b\n\n', [{ type: 'message', data: 'a\n\nb' }]],
    ['an event without data is none', 'event: x\n\ndata: a\n\n', [{ type: 'message', data: 'a' }]],
    ['an event the stream ends within is none', 'data: a\n', []],
    ['CR alone ends a line', 'data: a\rdata: b\r\r', [{ type: 'message', data: 'a\nb' }]],
    ['CRLF is one line ending', 'data: a\r\n\r\n', [{ type: 'message', data: 'a' }]],
    ['unknown fields mean nothing', 'foo: bar\nDATA: x\ndata: a\n\n', [{ type: 'message', data: 'a' }]],
  ])('%s', (_name, stream, events) => {
    expect(parse([Buffer.from(stream)]).events).toEqual(events);
    expect(parse([...Buffer.from(stream)].map((byte) => Buffer.from([byte]))).events).toEqual(events);
  });

  test('the last id and the wait before reconnecting are kept', () => {
    expect(parse([Buffer.from('id: a\nretry: 1500\n\nid: b\0c\nretry: soon\ndata: x\n\n')])).toMatchObject({
      id: 'a',
      retryMs: 1500,
    });
  });
});
