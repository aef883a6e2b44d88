import { expect, test } from '@jest/globals';
import type { StreamControl, StreamListener } from '../../client-sim/transport/channel.js';
import { createWireCounters } from '../../client-sim/transport/shared.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { ChannelProbe } from '../support/transport/channel-probe.js';
import { until } from '../support/until.js';
import { startEverything } from './third-party-server.js';

function tool(name: string, params: Record<string, unknown>): OperationPlan {
  return {
    name,
    method: 'tools/call',
    params: { kind: 'constant', json: JSON.stringify({ name, ...params }) },
    target: name,
    weight: 1,
  };
}

/**
 * Reopened without `Last-Event-ID` only. With it this server (2026.8.31) falls silent, whoever asks: its event store's
 * `replayEventsAfter` answers with the id of the last event where the SDK wants the id of the stream, so the SDK keeps
 * the resumed stream under a name that nothing is ever sent to. Seen with a bare HTTP client: 200, nothing but
 * keep-alives; a stream opened beside it without the header hears the next update.
 */
test('the official example server: updates arrive, also on a reopened stream, and progress is counted', async () => {
  const uri = 'demo://resource/static/document/features.md';
  const heard: string[] = [];
  const outcomes: unknown[] = [];
  let stream: StreamControl | undefined;
  const listener: StreamListener = {
    uris: [uri],
    resume: false,
    onReady: (opened) => {
      stream = opened;
      opened.start();
    },
    onSubscribing: () => undefined,
    onSubscribed: (_index, failure) => outcomes.push(failure?.category),
    onUpdate: (bytes, start, end) => heard.push(bytes.toString('utf8', start, end)),
    onSessionEnd: () => undefined,
  };
  const probe = new ChannelProbe(await startEverything(), { listener, openTimeoutMs: 30_000 });
  await probe.open();
  await until('the subscription', () => outcomes.length > 0);
  expect(outcomes).toEqual([undefined]);

  // It notifies its subscribers at once, and every few seconds from then on.
  expect(await probe.call(1, tool('toggle-subscriber-updates', { arguments: {} }))).toEqual(['correct']);
  await until('an update', () => heard.length > 0);
  expect(JSON.parse(heard[0] ?? '')).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
  expect(probe.counters.streams).toMatchObject({ opened: 1, lost: 0, unreadable: 0, updates: heard.length });

  stream?.pause();
  const before = heard.length;
  await until('the stream to be closed', () => probe.counters.connectionsActive === 1);
  stream?.start();
  await until('an update on the stream opened again', () => heard.length > before, 60_000);
  expect(outcomes).toEqual([undefined]);
  expect(probe.counters.streams).toMatchObject({ opened: 2, resumed: 0, returned: 1, lost: 0, updates: heard.length });

  expect(
    await probe.call(
      1,
      tool('trigger-long-running-operation', {
        arguments: { duration: 0.2, steps: 4 },
        _meta: { progressToken: 'mine' },
      }),
    ),
  ).toEqual(['correct']);
  expect(probe.counters.streams.progress).toBe(4);
  await probe.close('delete');
  expect(probe.counters.connectionsActive).toBe(createWireCounters().connectionsActive);
}, 120_000);
