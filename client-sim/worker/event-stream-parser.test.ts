import { expect, test } from '@jest/globals';
import { EventStreamParser, type StreamEvent } from './event-stream-parser.js';

const STREAM = [
  ': connected',
  '',
  'id: 1',
  'event: stop',
  'data: {"a":1}',
  '',
  ': keep-alive',
  '',
  'id:2',
  'data: first',
  'data:second',
  'retry: 100',
  '',
  'event: empty',
  '',
  'id: 3',
  'data: ü',
  '',
  '',
];
const EXPECTED: readonly StreamEvent[] = [
  { id: '1', type: 'stop', data: '{"a":1}' },
  { id: '2', type: '', data: 'first\nsecond' },
  { id: '3', type: '', data: 'ü' },
];

test.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
])('events are read whole, cut at any place, with %s', (_, newline) => {
  const text = STREAM.join(newline);
  for (let cut = 0; cut <= text.length; cut++) {
    const events: StreamEvent[] = [];
    const parser = new EventStreamParser((event) => events.push(event));
    parser.feed(text.slice(0, cut));
    parser.feed(text.slice(cut));
    // A lone CR at the very end may be half of a CRLF: that line ends with the next one.
    if (newline === '\r') parser.feed('\n');
    expect(events).toEqual(EXPECTED);
  }
});
