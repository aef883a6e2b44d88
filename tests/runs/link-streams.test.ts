import net, { type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { buildRoot } from '../support/package-root.js';
import { startReferenceTarget } from '../support/reference-target.js';
import { operationTotals } from '../support/run-files.js';
import { streamsOf, streamTotals } from '../support/streams.js';
import { run } from '../support/swarmbench.js';
import { onTestEnd } from '../support/test-end.js';
import { ChannelProbe, LEGACY, MODERN } from '../support/transport/channel-probe.js';
import { RecordingListener } from '../support/transport/recording-listener.js';
import { until } from '../support/until.js';

const publish = {
  tool: 'publish',
  arguments: { topic: '{{ client 2 }}', message: '{{ text 50 }}', stamp: '{{ stamp }}' },
};
const topic = 'bench://topic/{{ client 2 }}';
const steady = [
  { name: 'warm-up', duration: '500ms', measured: false },
  { name: 'steady', duration: '1500ms' },
];
const trialCalls = 1;

test.each<
  [
    TransportName,
    'legacy' | 'modern',
    (ports: { readonly port: number; readonly streamPort: number | undefined }) => string,
  ]
>([
  ['websocket', 'modern', ({ streamPort }) => `ws://127.0.0.1:${streamPort}/mcp`],
  ['tcp', 'legacy', ({ streamPort }) => `tcp://127.0.0.1:${streamPort}`],
  ['sse', 'legacy', ({ port }) => `http://127.0.0.1:${port}/sse`],
])(
  "over %s (%s) every publication reaches every subscriber once, and all counts agree with the server's",
  async (transport, era, url) => {
    const server = await startReferenceTarget({ streamPort: 0 });
    const finished = await run({
      target: url(server),
      args: ['--workers', '2'],
      scenario: {
        name: 'fanout',
        target: { era },
        workload: {
          subscriber: { clients: 4, transport, timeout: '20s', operations: [{ subscribe: topic }] },
          // One at a time: over sse each message is a request of its own, on whichever connection is free.
          publisher: { clients: 2, transport, arrivals: { rate: '20/s' }, maxInFlight: 1, operations: [publish] },
        },
        stages: steady,
        thresholds: [
          'delivery.lost == 0',
          'delivery.duplicated == 0',
          'delivery.outOfOrder == 0',
          'streams.lost == 0',
          'errors.count == 0',
        ],
      },
    });
    expect(finished.report.thresholds.filter(({ passed }) => !passed)).toEqual([]);
    const published = operationTotals(finished.telemetry).get('publish')?.succeeded ?? 0;
    const totals = streamTotals(finished.telemetry);
    expect(totals.delivered).toBeGreaterThan(0);
    expect(server.stats().published).toBe(published + trialCalls);
    // Each topic has one publisher and two subscribers.
    expect(streamsOf(finished).deliveries).toMatchObject({
      publishers: 2,
      published,
      subscriptions: 4,
      lost: 0,
      delivered: totals.delivered,
    });
    expect(totals).toMatchObject({
      opened: 4,
      resumed: 0,
      lost: 0,
      ended: 0,
      unreadable: 0,
      updates: totals.delivered,
    });
    expect(server.stats().streams.updates).toBe(totals.updates);
    expect(operationTotals(finished.telemetry).get(topic)).toMatchObject({ sent: 4, succeeded: 4 });
  },
  90_000,
);

/** Ends each connection of a client when it has passed on so many bytes to it. */
async function startCuttingProxy(
  port: number,
  mostBytes: number,
): Promise<{ readonly port: number; readonly cuts: number }> {
  let cuts = 0;
  const sockets = new Set<Socket>();
  const proxy = net.createServer((client) => {
    const server = net.connect(port, '127.0.0.1');
    let passed = 0;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    server.on('data', (bytes: Buffer) => {
      passed += bytes.length;
      client.write(bytes);
      if (passed <= mostBytes || client.destroyed) return;
      cuts += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
  };
}

test('subscribers whose link is cut come back, subscribe again, and miss what was published meanwhile', async () => {
  const server = await startReferenceTarget({ streamPort: 0 });
  const proxy = await startCuttingProxy(server.streamPort ?? 0, 2_000);
  const finished = await run({
    target: `ws://127.0.0.1:${proxy.port}/mcp`,
    args: ['--target', server.url],
    scenario: {
      name: 'cut',
      target: { era: 'legacy' },
      workload: {
        subscriber: { clients: 2, transport: 'websocket', timeout: '20s', operations: [{ subscribe: topic }] },
        publisher: { clients: 2, arrivals: { rate: '20/s' }, connections: 1, operations: [publish] },
      },
      stages: [{ name: 'steady', duration: '4s' }],
    },
  });
  const totals = streamTotals(finished.telemetry);
  expect(proxy.cuts).toBeGreaterThan(1);
  // One that is cut while we close it is not lost.
  expect(totals.lost).toBeLessThanOrEqual(proxy.cuts);
  expect(totals.lost).toBeGreaterThan(1);
  // Those that are left at the end were closed by us, or on their way back.
  expect(totals.opened - totals.lost).toBeGreaterThanOrEqual(0);
  expect(totals.opened - totals.lost).toBeLessThanOrEqual(2);
  expect(totals.opened).toBeGreaterThan(2);
  expect(operationTotals(finished.telemetry).get(topic)?.succeeded).toBeGreaterThan(2);
  const { deliveries } = streamsOf(finished);
  expect(deliveries).toMatchObject({
    subscriptions: 2,
    lost: (deliveries?.expected ?? 0) - (deliveries?.delivered ?? 0),
  });
  expect(deliveries?.lost).toBeGreaterThan(0);
  expect(finished.report.summary.sessions.lost).toBe(totals.lost);
}, 90_000);

test.each(['legacy', 'modern'] as const)(
  'over stdio, where each session has a server of its own, a client hears of its own publications (%s)',
  async (era) => {
    const uri = 'bench://topic/own';
    const listener = new RecordingListener([uri]);
    const server = {
      command: [process.execPath, join(buildRoot, 'swarm/reference-server/main.js'), '--stdio'],
      env: {},
      inherited: { PATH: process.env.PATH ?? '' },
    };
    const tool = (name: string, params: object): OperationPlan => ({
      name,
      method: 'tools/call',
      params: { kind: 'constant', json: JSON.stringify({ name, ...params }) },
      target: name,
      weight: 1,
    });
    const pinned = era === 'legacy' ? LEGACY : MODERN;
    const probe = await new ChannelProbe('stdio://localhost', {
      transport: 'stdio',
      server,
      pinned,
      listener,
      openTimeoutMs: 60_000,
    }).open();
    await until('the subscription', () => listener.outcomes.length > 0, 60_000);
    expect(listener.outcomes).toEqual([undefined]);
    expect(
      await probe.call(1, tool('publish', { arguments: { topic: 'own', message: 'news', stamp: 'mine' } })),
    ).toEqual(['correct']);
    expect(await probe.call(1, tool('publish', { arguments: { topic: 'other', message: 'news' } }))).toEqual([
      'correct',
    ]);
    expect(
      await probe.call(1, tool('progress', { arguments: { steps: 3, delayMs: 1 }, _meta: { progressToken: 1 } })),
    ).toEqual(['correct']);
    await until('the update', () => listener.updates.length > 0, 60_000);
    expect(listener.updates.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { method: 'notifications/resources/updated', params: { uri, _meta: { 'swarmbench/stamp': 'mine' } } },
    ]);
    expect(probe.counters.streams).toMatchObject({ opened: 1, updates: 1, progress: 3, lost: 0 });
    await probe.close('delete');
  },
  120_000,
);
