import { describe, expect, test } from '@jest/globals';
import { abortKinds, malformedKinds } from '../../scenarios/schema/misbehave.js';
import { factsOf } from '../../scenarios/schema/transports.js';
import type { MisbehaviourKind } from '../load/draw-misbehaviour.js';
import { forgeFrame } from './forge-frame.js';
import { forgeLine } from './forge-line.js';
import { forgeRequest } from './forge-request.js';

const body = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo"}}';
const proper = { era: 'legacy', id: 7, body, endpoint: { url: 'http://127.0.0.1:1/mcp', headers: {} } } as const;
const kinds: readonly MisbehaviourKind[] = [
  ...abortKinds.map((kind) => `abort/${kind}` as const),
  ...malformedKinds.map((kind) => `malformed/${kind}` as const),
];

const forge = {
  'streamable-http': (kind: MisbehaviourKind) =>
    forgeRequest(kind, { ...proper, kind: { verb: 'POST' } }, 1000).requests,
  websocket: (kind: MisbehaviourKind) => forgeFrame(kind, proper, 1000).pieces,
  tcp: (kind: MisbehaviourKind) => forgeLine(kind, proper, 1000).pieces,
  stdio: (kind: MisbehaviourKind) => forgeLine(kind, proper, 1000).pieces,
};

describe.each(Object.keys(forge) as (keyof typeof forge)[])('over %s', (transport) => {
  const { aborts, malformed } = factsOf(transport).misbehaviour;
  const allowed = [...aborts.map((kind) => `abort/${kind}`), ...malformed.map((kind) => `malformed/${kind}`)];

  test.each(kinds.filter((kind) => allowed.includes(kind)))('%s, which planning allows, has bytes', (kind) => {
    expect(Buffer.concat(forge[transport](kind)).length).toBeGreaterThan(0);
  });
});

test('a kind that is impossible for a transport is refused', () => {
  expect(() => forge['streamable-http']('malformed/unmasked')).toThrow(RangeError);
  expect(() => forge.tcp('malformed/bad-opcode')).toThrow(RangeError);
});
