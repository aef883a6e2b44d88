import { describe, expect, test } from '@jest/globals';
import { negotiate } from '../../client-sim/preflight/negotiate.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { ChannelProbe, LEGACY, MODERN } from '../support/transport/channel-probe.js';
import { until } from '../support/until.js';
import { startEverything, startProxiedEverything } from './third-party-server.js';

function operation(method: OperationPlan['method'], params: Record<string, unknown>, target?: string): OperationPlan {
  return {
    name: method,
    method,
    params: { kind: 'constant', json: JSON.stringify(params) },
    weight: 1,
    ...(target === undefined ? {} : { target }),
  };
}

function tool(name: string, args: Record<string, unknown>): OperationPlan {
  return operation('tools/call', { name, arguments: args }, name);
}

const echo = tool('echo', { message: 'größe € "quoted"' });
/** Sends progress before its result, as a stream. */
const longRunning = tool('trigger-long-running-operation', { duration: 0.2, steps: 2 });

type Target = readonly [name: string, start: () => Promise<string>, eras: readonly ('legacy' | 'modern')[]];

const targets: readonly Target[] = [
  ['server-everything', startEverything, ['legacy']],
  ['mcp-proxy before server-everything', startProxiedEverything, ['legacy', 'modern']],
];

describe.each(targets)('%s', (_name, start, eras) => {
  test('is initialized in the newest era that it speaks, and in each that is asked for', async () => {
    const endpoint = { url: await start(), headers: {} };
    for (const era of ['auto', ...eras] as const) {
      const found = await negotiate(endpoint, era);
      expect(found).toMatchObject({
        ok: true,
        pinned: { era: era === 'auto' ? eras.at(-1) : era },
        serverInfo: { name: 'mcp-servers/everything' },
      });
      const tools = await found.session.request('tools/list');
      expect(tools.result?.tools).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: 'echo' }),
          expect.objectContaining({ name: 'get-sum' }),
        ]),
      );
      const sum = await found.session.request('tools/call', { name: 'get-sum', arguments: { a: 2, b: 40 } });
      expect(JSON.stringify(sum.result)).toContain('42');
      expect(await found.session.request('resources/read', { uri: 'demo://nope' })).toMatchObject({
        failure: { category: expect.stringMatching(/^rpc_-\d+$/) },
      });
      await found.session.close();
    }
  }, 60_000);

  const ways = eras.flatMap(
    (era) =>
      [
        ['streamable-http', era, 2, 4],
        ['sdk', era, 8, 1],
      ] as const,
  );

  test.each(ways)(
    'carries load over %s in the %s era: every answer in its category, sessions ended',
    async (transport, era, connections, pipeline) => {
      const url = await start();
      const probe = await new ChannelProbe(url, {
        transport,
        pinned: era === 'legacy' ? LEGACY : MODERN,
        connections,
        pipeline,
      }).open();
      expect(probe.openFailure).toBeUndefined();
      for (let round = 0; round < 10; round++) expect(await probe.call(8, echo)).toEqual(new Array(8).fill('correct'));
      expect(await probe.call(1, operation('tools/list', {}))).toEqual(['correct']);
      expect(await probe.call(2, longRunning)).toEqual(['correct', 'correct']);
      expect(await probe.call(1, tool('no-such-tool', {}))).toEqual([
        expect.stringMatching(/^(tool_error|rpc_-32602)$/),
      ]);
      expect(await probe.call(1, operation('resources/read', { uri: 'demo://nope' }, 'demo://nope'))).toEqual([
        expect.stringMatching(/^rpc_-\d+$/),
      ]);
      if (era === 'legacy') expect(await probe.call(1, operation('ping', {}))).toEqual(['correct']);
      await probe.close('delete');
      await until('its connections to be closed', () => probe.counters.connectionsActive === 0);
      expect(probe.counters.lateAnswers).toBe(0);
    },
    60_000,
  );

  test('a session that was ended elsewhere is lost', async () => {
    const url = await start();
    const { session } = await negotiate({ url, headers: {} }, 'legacy');
    expect(await session.request('ping')).toMatchObject({ failure: undefined });
    await fetch(url, {
      method: 'DELETE',
      headers: { 'mcp-session-id': session.sessionId ?? '', 'mcp-protocol-version': '2025-11-25' },
    });
    expect(await session.request('ping')).toMatchObject({ failure: { category: 'session_lost' } });
    await session.close();
  }, 60_000);
});
