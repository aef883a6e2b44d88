import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { heartbeat, heartbeatAnswer, preflightResult, registered, registration, sessionsOpened } from './messages.js';
import { parseOrder } from './order-codec.js';
import { acknowledgement, telemetry } from './telemetry.js';

/**
 * Golden files are not code, so they are not in the build: they are beside the source, at the same path below the
 * package.
 */
function goldenFolder(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return join(root, 'client-sim/protocol/golden');
}

function parse(schema: { parse(value: unknown): unknown }) {
  return (json: string): unknown => schema.parse(JSON.parse(json));
}

/** The parser of each golden file. A file without one, or one without a file, fails. */
const readers: Readonly<Record<string, (json: string) => unknown>> = {
  'acknowledgement.json': parse(acknowledgement),
  'adjust-order.json': parseOrder,
  'assignment-order.json': parseOrder,
  'begin-order.json': parseOrder,
  'heartbeat-answer.json': parse(heartbeatAnswer),
  'heartbeat.json': parse(heartbeat),
  'preflight-order.json': parseOrder,
  'preflight-result.json': parse(preflightResult),
  'registered.json': parse(registered),
  'registration.json': parse(registration),
  'sessions-opened.json': parse(sessionsOpened),
  'stop-order.json': parseOrder,
  'telemetry-final.json': parse(telemetry),
  'telemetry.json': parse(telemetry),
};

describe('golden messages: a change of the protocol shows here', () => {
  test('there is one for each message', () => {
    expect(readdirSync(goldenFolder()).sort()).toEqual(Object.keys(readers).sort());
  });

  test.each(Object.entries(readers))('%s is read and written again unchanged', (file, read) => {
    const text = readFileSync(join(goldenFolder(), file), 'utf8');
    expect(JSON.parse(JSON.stringify(read(text)))).toEqual(JSON.parse(text));
  });

  test.each(Object.entries(readers))(
    '%s of another protocol version, or with an unknown key, is refused',
    (file, read) => {
      const message = JSON.parse(readFileSync(join(goldenFolder(), file), 'utf8')) as Record<string, unknown>;
      expect(() => read(JSON.stringify({ ...message, protocol: 2 }))).toThrow();
      expect(() => read(JSON.stringify({ ...message, unknown: true }))).toThrow();
    },
  );
});

test('an invalid order is refused with what is wrong', () => {
  expect(() => parseOrder('{')).toThrow('not JSON');
  expect(() => parseOrder('{"type":"stop","protocol":1,"runId":"r","mode":"later"}')).toThrow(/mode.*same version/s);
});
