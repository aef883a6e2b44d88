import { describe, expect, test } from '@jest/globals';
import { negotiate } from '../../client-sim/preflight/negotiate.js';
import type { Endpoint } from '../../client-sim/protocol/messages.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { ChannelProbe } from '../support/transport/channel-probe.js';
import { RecordingListener } from '../support/transport/recording-listener.js';
import { until } from '../support/until.js';
import { everythingCommand, startEverythingSse } from './third-party-server.js';

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
const longRunning = tool('trigger-long-running-operation', { duration: 0.2, steps: 2 });

type Target = readonly [transport: TransportName, start: () => Promise<Endpoint>];

const targets: readonly Target[] = [
  ['sse', async () => ({ url: await startEverythingSse(), headers: {} })],
  [
    'stdio',
    async () => ({
      url: 'stdio://localhost',
      headers: {},
      server: { command: everythingCommand, env: {}, inherited: { PATH: process.env.PATH ?? '' } },
    }),
  ],
];

describe.each(targets)('the official example server over %s', (transport, start) => {
  test('initializes, lists its tools and answers calls', async () => {
    const found = await negotiate(await start(), 'legacy', { transport });
    expect(found).toMatchObject({
      ok: true,
      pinned: { era: 'legacy' },
      serverInfo: { name: 'mcp-servers/everything' },
    });
    const tools = await found.session.request('tools/list');
    expect(tools.result?.tools).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'echo' }), expect.objectContaining({ name: 'get-sum' })]),
    );
    const sum = await found.session.request('tools/call', { name: 'get-sum', arguments: { a: 2, b: 40 } });
    expect(JSON.stringify(sum.result)).toContain('42');
    expect(await found.session.request('resources/read', { uri: 'demo://nope' })).toMatchObject({
      failure: { category: expect.stringMatching(/^rpc_-\d+$/) },
    });
    await found.session.close();
  }, 60_000);

  test('carries load: every answer in its category', async () => {
    const { url, ...more } = await start();
    const probe = await new ChannelProbe(url, {
      transport,
      ...more,
      connections: 2,
      pipeline: 4,
      openTimeoutMs: 30_000,
    }).open();
    expect(probe.openFailure).toBeUndefined();
    for (let round = 0; round < 10; round++) expect(await probe.call(8, echo)).toEqual(new Array(8).fill('correct'));
    expect(await probe.call(1, operation('tools/list', {}))).toEqual(['correct']);
    expect(await probe.call(2, longRunning)).toEqual(['correct', 'correct']);
    expect(await probe.call(1, tool('no-such-tool', {}))).toEqual([expect.stringMatching(/^(tool_error|rpc_-32602)$/)]);
    expect(await probe.call(1, operation('resources/read', { uri: 'demo://nope' }, 'demo://nope'))).toEqual([
      expect.stringMatching(/^rpc_-\d+$/),
    ]);
    expect(await probe.call(1, operation('ping', {}))).toEqual(['correct']);
    await probe.close('delete');
    expect(probe.counters).toMatchObject({ connectionsActive: 0, lateAnswers: 0 });
  }, 60_000);

  test('updates of a subscription arrive, and the progress of a call is counted', async () => {
    const uri = 'demo://resource/static/document/features.md';
    const listener = new RecordingListener([uri]);
    const { url, ...more } = await start();
    const probe = await new ChannelProbe(url, { transport, ...more, listener, openTimeoutMs: 30_000 }).open();
    await until('the subscription', () => listener.outcomes.length > 0, 30_000);
    expect(listener.outcomes).toEqual([undefined]);
    expect(await probe.call(1, tool('toggle-subscriber-updates', {}))).toEqual(['correct']);
    await until('an update', () => listener.updates.length > 0, 30_000);
    expect(JSON.parse(listener.updates[0] ?? '')).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri },
    });
    const steps = operation(
      'tools/call',
      {
        name: 'trigger-long-running-operation',
        arguments: { duration: 0.2, steps: 4 },
        _meta: { progressToken: 'mine' },
      },
      'trigger-long-running-operation',
    );
    expect(await probe.call(1, steps)).toEqual(['correct']);
    expect(probe.counters.streams).toMatchObject({ opened: 1, lost: 0, progress: 4, updates: listener.updates.length });
    await probe.close('delete');
  }, 120_000);
});
