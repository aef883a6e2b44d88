import { describe, expect, test } from '@jest/globals';
import { wrongly } from '../../../tests/servers/behaviours.js';
import type { Behaviour } from '../../../tests/servers/call.js';
import { startTestServer } from '../../../tests/servers/test-server.js';
import { ChannelProbe, LEGACY, MODERN, type Outcome } from '../../../tests/support/transport/channel-probe.js';
import { until } from '../../../tests/support/until.js';

/** The outcome of every third call of a session, as the transport reports it. */
async function outcomes(
  transport: 'sdk' | 'streamable-http',
  era: 'legacy' | 'modern',
  behaviour: Behaviour,
): Promise<readonly Outcome[]> {
  let calls = 0;
  const { url } = await startTestServer({
    era,
    preflightCalls: 0,
    behaviour: (call) => (++calls % 3 === 2 ? behaviour(call) : call.answer()),
  });
  if (era === 'legacy') await firstSession(url);
  const probe = new ChannelProbe(url, { transport, pinned: era === 'legacy' ? LEGACY : MODERN, openTimeoutMs: 20_000 });
  await probe.open();
  expect(probe.openFailure).toBeUndefined();
  const seen: Outcome[] = [];
  for (let turn = 0; turn < 4 && probe.closed === undefined; turn++) seen.push(...(await probe.call()));
  return [...seen, ...(probe.closed === undefined ? [] : [probe.closed as Outcome])];
}

/** The server takes the first session for preflight's and answers it correctly. */
async function firstSession(url: string): Promise<void> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'first', version: '1' } },
  });
  await (
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body,
    })
  ).text();
}

const more: Readonly<Record<string, Behaviour>> = {
  accepted: (call) => call.answer('', 202),
  longPage: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/html' });
    call.response.end('<p>'.repeat(300_000));
  },
  refusedInAStream: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/event-stream' });
    call.response.end(
      `data: ${JSON.stringify({ jsonrpc: '2.0', id: call.id, error: { code: -32050, message: 'overloaded' } })}\n\n`,
    );
  },
  nonsenseInAStream: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/event-stream' });
    call.response.end('data: {"jsonrpc":\n\n');
  },
};

/** Without those that never end: the engine's timeout ends them. */
const { noAnswer, endlessBody, ...ending } = { ...wrongly, ...more };

describe.each(['legacy', 'modern'] as const)('a server that misbehaves in the %s era', (era) => {
  test.each(Object.entries(ending).filter(([name]) => era === 'legacy' || name !== 'lostSession'))(
    '%s is reported as our own client reports it',
    async (_name, behaviour) => {
      const [ours, theirs] = await Promise.all([
        outcomes('streamable-http', era, behaviour),
        outcomes('sdk', era, behaviour),
      ]);
      expect(theirs).toEqual(ours);
      expect(new Set(ours).size).toBeGreaterThan(1);
    },
    60_000,
  );

  test.each([
    ['no answer', noAnswer],
    ['an answer without an end', endlessBody],
  ] as const)(
    '%s is abandoned, and its connection is closed',
    async (_what, behaviour) => {
      const { url, log } = await startTestServer({
        era,
        preflightCalls: 0,
        behaviour: (call) => (log.calls.length === 1 ? behaviour(call) : call.answer()),
      });
      if (era === 'legacy') await firstSession(url);
      const probe = await new ChannelProbe(url, {
        transport: 'sdk',
        pinned: era === 'legacy' ? LEGACY : MODERN,
      }).open();
      const ticket = probe.sendUnflushed();
      probe.channel.flush();
      await until('the call to arrive', () => log.calls.length > 0);
      expect(probe.channel.room).toBe(0);
      probe.channel.abandon(ticket);
      expect(probe.channel.room).toBe(1);
      await until('its connection to be closed', () => log.calls[0]?.endedAtMs !== undefined);
      expect(await probe.call()).toEqual(['correct']);
      expect(probe.outcomes[ticket]).toBe('waiting');
      // The session era's client sends a cancellation; the stateless one only closes the answer.
      expect(probe.counters.streams.cancelled).toBe(era === 'legacy' ? 1 : 0);
    },
    60_000,
  );
});
