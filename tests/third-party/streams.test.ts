import { expect, test } from '@jest/globals';
import { createWireCounters } from '../../client-sim/transport/shared.js';
import type { StreamListener } from '../../client-sim/transport/stream/stream-listener.js';
import { ChannelProbe } from '../../client-sim/transport/testing/channel-probe.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { until } from '../support/until.js';
import { startEverything } from './third-party-server.js';

function tool(name: string, params: Record<string, unknown>): OperationPlan {
  return { name, method: 'tools/call', params: { kind: 'constant', json: JSON.stringify({ name, ...params }) }, target: name, weight: 1 };
}

test('the official example server: subscribed to and heard of; the progress of a call is counted', async () => {
  const uri = 'demo://resource/static/document/features.md';
  const heard: string[] = [];
  const outcomes: unknown[] = [];
  const listener: StreamListener = {
    uris: [uri],
    resume: true,
    onReady: (stream) => stream.start(),
    onSubscribing: () => undefined,
    onSubscribed: (_index, failure) => outcomes.push(failure?.category),
    onUpdate: (bytes, start, end) => heard.push(bytes.toString('utf8', start, end)),
    onOver: () => undefined,
  };
  const probe = new ChannelProbe(await startEverything(), { listener, openTimeoutMs: 30_000 });
  await probe.open();
  await until('the subscription', () => outcomes.length > 0, 30_000);
  expect(outcomes).toEqual([undefined]);

  // It tells its subscribers at once, and every few seconds from then on.
  expect(await probe.call(1, tool('toggle-subscriber-updates', { arguments: {} }))).toEqual(['correct']);
  await until('an update', () => heard.length > 0, 30_000);
  expect(JSON.parse(heard[0] ?? '')).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
  expect(probe.counters.streams).toMatchObject({ opened: 1, lost: 0, unreadable: 0, updates: heard.length });

  expect(await probe.call(1, tool('trigger-long-running-operation', { arguments: { duration: 0.2, steps: 4 }, _meta: { progressToken: 'mine' } }))).toEqual(['correct']);
  expect(probe.counters.streams.progress).toBe(4);
  await probe.close('delete');
  expect(probe.counters.connectionsActive).toBe(createWireCounters().connectionsActive);
}, 120_000);
