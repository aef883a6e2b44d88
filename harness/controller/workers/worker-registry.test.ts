import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Order, Registration } from '../../../client-sim/protocol/messages.js';
import { stopOrder } from '../run/orders.js';
import { defaultTimings } from '../timings.js';
import { OrderChannel } from './order-channel.js';
import { WorkerRegistry } from './worker-registry.js';

const registration: Registration = {
  protocol: 1,
  host: 'h',
  pid: 1,
  capacity: { clients: 100, ratePerSecond: 1, connections: 1 },
  threads: 2,
  version: 'v',
  incarnation: randomUUID(),
};

function sink(): {
  readonly got: (readonly [number, Order['type']])[];
  ended: boolean;
  send(id: number, order: Order): void;
  end(): void;
} {
  return {
    got: [],
    ended: false,
    send(id, order) {
      this.got.push([id, order.type]);
    },
    end() {
      this.ended = true;
    },
  };
}

const order = stopOrder('r', 'drain');

test('orders are numbered and replayed after the last one seen, and a newer connection takes over', () => {
  const channel = new OrderChannel();
  channel.give(order);
  const [first, second] = [sink(), sink()];
  channel.connect(first, 0);
  channel.give(order);
  channel.connect(second, 1);
  expect([first.got, second.got, first.ended]).toEqual([
    [
      [1, 'stop'],
      [2, 'stop'],
    ],
    [[2, 'stop']],
    true,
  ]);
  channel.disconnect(first);
  channel.give(order);
  expect([first.got.length, second.got.length]).toEqual([2, 2]);
});

test('the orders of a finished run are forgotten, but the numbers continue', () => {
  const channel = new OrderChannel();
  channel.give(order);
  channel.forget();
  channel.give(order);
  const connection = sink();
  channel.connect(connection, 0);
  expect(connection.got).toEqual([[2, 'stop']]);
});

test('a controller that adopted the run sends its orders under numbers that the worker has not seen', () => {
  const channel = new OrderChannel(true);
  channel.give(order);
  channel.give(order);
  const [first, second] = [sink(), sink()];
  channel.connect(first, 5);
  channel.connect(second, 6);
  expect([first.got, second.got]).toEqual([
    [
      [6, 'stop'],
      [7, 'stop'],
    ],
    [[7, 'stop']],
  ]);
});

test('a worker is lost after three missed heartbeats, but not when the controller itself was held up', async () => {
  let skippedMs = 0;
  const registry = new WorkerRegistry({ ...defaultTimings, heartbeatMs: 100 }, () => performance.now() + skippedMs);
  const { workerId } = registry.register(registration);
  // As on a suspended laptop, the clock jumps, and no message could be read meanwhile.
  skippedMs = 60_000;
  await sleep(100);
  expect(registry.get(workerId).lost).toBe(false);
  await sleep(500);
  expect(() => registry.get(workerId)).toThrow(/no worker w1/);
  // It was idle, as when its service is scaled to rest after a run.
  expect(registry.heartbeatTimeouts).toBe(0);
  registry.close();
});

test('a worker that falls silent in a run is a missed heartbeat, and one that ends after its run is none', async () => {
  let atMs = 0;
  const registry = new WorkerRegistry({ ...defaultTimings, heartbeatMs: 40 }, () => atMs);
  const { workerId } = registry.register(registration);
  const lost: string[] = [];
  registry.assignTo(workerId, {
    runId: 'r',
    clock: () => undefined,
    saturated: () => undefined,
    recovered: () => undefined,
    lost: ({ id }) => lost.push(id),
    returned: () => undefined,
    preflight: () => undefined,
    opened: () => undefined,
    telemetry: async () => 0,
  });
  const silence = async (): Promise<void> => {
    // In steps that do not look like a clock that stood still.
    for (let step = 0; step < 20; step += 1) {
      atMs += 15;
      await sleep(12);
    }
  };
  await silence();
  expect([lost, registry.heartbeatTimeouts]).toEqual([[workerId], 1]);
  registry.release('r');
  registry.register(registration);
  await silence();
  expect(registry.all()).toEqual([]);
  expect(registry.heartbeatTimeouts).toBe(1);
  registry.close();
});
