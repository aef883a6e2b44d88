import { expect, test } from '@jest/globals';
import { parseReferenceOptions, parseSinkOptions } from './options.js';

test('every option of the reference server takes effect', () => {
  expect(
    parseReferenceOptions(
      [
        '--host 0.0.0.0 --port 0 --stream-port 5555 --era modern --answers sse --sessions stateless',
        '--session-ttl 1.5s --max-sessions 9 --id r2 --lease /tmp/l --seed 4 --replay 7',
        '--allowed-host one.test --allowed-host [::1] --tools 5 --tool-bytes 900 --schema-depth 3',
        '--answer-bytes 64 --page-size 2 --delay echo=3ms --delay a=b=1s',
      ].flatMap((line) => line.split(' ')),
    ),
  ).toEqual({
    host: '0.0.0.0',
    port: 0,
    streamPort: 5555,
    era: 'modern',
    answers: 'sse',
    sessions: 'stateless',
    sessionTtlMs: 1500,
    maxSessions: 9,
    id: 'r2',
    lease: '/tmp/l',
    seed: 4,
    replay: 7,
    stdio: false,
    allowedHosts: ['one.test', '[::1]'],
    catalogue: {
      made: { prefix: 'r2', count: 5, bytes: 900, schemaDepth: 3, answerBytes: 64 },
      pageSize: 2,
      delays: new Map([
        ['echo', 3],
        ['a=b', 1000],
      ]),
    },
  });
});

test('the defaults are the documented ones', () => {
  expect(parseReferenceOptions([])).toMatchObject({
    host: '127.0.0.1',
    port: 3000,
    era: 'both',
    answers: 'json',
    sessions: 'stateful',
    sessionTtlMs: 1_800_000,
    seed: 1,
    allowedHosts: [],
  });
  expect(parseSinkOptions([])).toEqual({
    host: '127.0.0.1',
    port: 3000,
    streamPort: undefined,
    answers: 'json',
    lease: undefined,
  });
});

test.each([
  [['--port', 'x'], /--port/],
  [['--session-ttl', '30'], /--session-ttl: a duration/],
  [['--era', 'old'], /--era/],
  [['--allowed-host', 'one.test:3000'], /--allowed-host.*without a port/],
  [['--delay', 'echo'], /--delay.*echo=3ms/],
  [['--tools', '0'], /--tools/],
  [['--colour', 'red'], /colour/],
])('%j is refused by name', (args, problem) => {
  expect(() => parseReferenceOptions(args)).toThrow(problem);
});
