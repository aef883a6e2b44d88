import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ReferenceServer, startReferenceServer } from '../../../../swarm/reference-server/reference-server.js';
import { ChannelProbe } from '../../../../tests/support/transport/channel-probe.js';
import { askReplicas, holderOf } from './replica-sessions.js';
import type { ScrapeTarget } from './scrape-targets.js';

const servers: ReferenceServer[] = [];

beforeAll(async () => {
  for (const id of ['one', 'two'])
    servers.push(
      await startReferenceServer({
        ...{ host: '127.0.0.1', port: 0, id, era: 'both', answers: 'json', sessions: 'stateful' },
        ...{ sessionTtlMs: 60_000, maxSessions: 10, seed: 1 },
      }),
    );
});

afterAll(() => Promise.all(servers.map((server) => server.close(0))));

function target(slot: number, port: number, service = 'mcp-server'): ScrapeTarget {
  return { targets: [`127.0.0.1:${port}`], labels: { service, slot: String(slot), node: 'n1', task: `t${slot}` } };
}

function targets(): readonly ScrapeTarget[] {
  const [first, second] = servers;
  // Nobody listens at the third; the fourth is a worker.
  return [
    target(1, first?.port ?? 0),
    target(2, second?.port ?? 0),
    target(3, 1),
    target(1, first?.port ?? 0, 'worker'),
  ];
}

const never = new AbortController().signal;

test('replicas say how many sessions they have, and which of them has one; a silent one is not active', async () => {
  const url = `http://127.0.0.1:${servers[1]?.port}/mcp`;
  let session = '';
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    }),
  });
  session = answer.headers.get('mcp-session-id') ?? '';
  await answer.text();
  await new ChannelProbe(url).open();
  expect(await askReplicas(targets(), never)).toEqual([
    { slot: 1, node: 'n1', task: 't1', active: true, replica: 'one', sessions: 0 },
    { slot: 2, node: 'n1', task: 't2', active: true, replica: 'two', sessions: 2 },
    { slot: 3, node: 'n1', task: 't3', active: false },
  ]);
  expect(await holderOf(session, targets(), never)).toMatchObject({ slot: 2, replica: 'two' });
  expect(await holderOf('no/such session', targets(), never)).toBeUndefined();
});
