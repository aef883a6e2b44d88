/** Whatever somebody sends, an answer takes time in proportion to it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ControllerBench } from '../../tests/support/controller/controller-bench.js';
import { batchOf, WireWorker } from '../../tests/support/controller/wire-worker.js';
import { FACTOR, growthOf, LINEAR } from '../../tests/support/growth.js';

const bench = new ControllerBench();
const worker = { id: '', token: '' };
beforeAll(async () => {
  await bench.start();
  const wire = new WireWorker(bench.api.url);
  await wire.register();
  Object.assign(worker, { id: wire.id, token: wire.token });
});
afterAll(() => bench.stop());

function array(size: number, item: (index: number) => unknown): unknown[] {
  return Array.from({ length: size }, (_, index) => item(index));
}

function record(size: number, value: unknown): Record<string, unknown> {
  return Object.fromEntries(array(size, (index) => [`k${index}`, value]) as [string, unknown][]);
}

const batch = batchOf({ runId: 'r', sequence: 1, fromMs: 0, toMs: 1000, operations: 3 });
const stages = 'stages: [{ name: steady, duration: 10s }]';

function text(lines: readonly unknown[]): string {
  return `name: growth\n${stages}\nworkload: { low-load: {} }\n${lines.join('\n')}`;
}

/** Bodies with `size` parts of one kind, beside those that every call gets. */
const bodies: Readonly<Record<string, Readonly<Record<string, (size: number) => unknown>>>> = {
  '/workers': { 'a long host': (size) => ({ protocol: 1, host: 'h'.repeat(size) }) },
  '/workers/{id}/heartbeat': { 'unknown keys inside': (size) => ({ protocol: 1, now: 1, health: record(size, 1) }) },
  '/workers/{id}/opened': { 'unknown keys': (size) => ({ protocol: 1, runId: 'r', ...record(size, 1) }) },
  '/workers/{id}/preflight': {
    exchanges: (size) => ({
      protocol: 1,
      runId: 'r',
      ok: true,
      tools: array(size, (index) => `t${index}`),
      exchanges: array(size, () => ({ step: 's', request: 'r', response: 'r', durationMs: 1, ok: true })),
    }),
    'wrong exchanges': (size) => ({ protocol: 1, runId: 'r', ok: true, tools: [], exchanges: array(size, () => ({})) }),
  },
  '/workers/{id}/telemetry': {
    series: (size) => ({ ...batch, series: array(size, () => batch.series[0]) }),
    'wrong series': (size) => ({ ...batch, series: array(size, () => ({ stage: 'x' })) }),
    categories: (size) => ({ ...batch, series: [{ ...batch.series[0], errors: record(size, 1) }] }),
    samples: (size) => ({ ...batch, samples: array(size, () => ({ category: 'x' })) }),
    flows: (size) => ({ ...batch, flows: array(size, () => ({ publisher: -1 })) }),
  },
  '/runs': {
    'unknown keys in a scenario': (size) => ({ scenario: text(array(size, (index) => `k${index}: 1`)) }),
    'workloads in a scenario': (size) => ({
      scenario: `name: g\n${stages}\nworkload:\n${array(size, (index) => `  w${index}: {}`).join('\n')}`,
    }),
    sets: (size) => ({ scenario: 'smoke', sets: array(size, () => 'seed=1') }),
    'wrong sets': (size) => ({ scenario: 'smoke', sets: array(size, () => 1) }),
    profiles: (size) => ({ scenario: text([]), profiles: record(size, 'x: 1') }),
    targets: (size) => ({ scenario: 'smoke', targets: array(size, (index) => `http://127.0.0.1:${(index % 9) + 1}/`) }),
    'a long name': (size) => ({ scenario: 'x'.repeat(size) }),
  },
  '/faults/halt': { 'a long name': (size) => ({ by: 'x'.repeat(size) }) },
  '/tokens': { 'a long name': (size) => ({ name: 'x'.repeat(size), role: 'viewer' }) },
  '/runs/{id}/stop': { 'a long detail': (size) => ({ detail: 'x'.repeat(size) }) },
  '/runs/{id}/adjust': { 'a long profile': (size) => ({ load: 1, profile: 'x'.repeat(size) }) },
};

interface Operation {
  readonly requestBody?: unknown;
}

async function send(method: string, path: string, body: string | undefined): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${worker.token}` };
  const answer = await fetch(`${bench.api.url}${path.replace('{id}', path.startsWith('/workers') ? worker.id : 'r')}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  await answer.body?.cancel();
  return answer;
}

async function routes(): Promise<readonly (readonly [method: string, path: string, operation: Operation])[]> {
  const document = (await (await fetch(`${bench.api.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => [method, path, operation] as const),
  );
}

test('every call that takes a body is among those below', async () => {
  const taking = (await routes()).filter(([, , { requestBody }]) => requestBody !== undefined).map(([, path]) => path);
  expect(Object.keys(bodies).sort()).toEqual([...new Set(taking)].sort());
});

describe('a body is answered in linear time:', () => {
  const usual: Readonly<Record<string, (size: number) => unknown>> = {
    'unknown keys': (size) => record(size, 1),
    'a long list': (size) => array(size, () => 1),
    'a deep list': (size) => JSON.parse(`${'['.repeat(size)}${']'.repeat(size)}`) as unknown,
  };
  const cases = Object.entries(bodies).flatMap(([path, own]) =>
    Object.entries({ ...usual, ...own }).map(([what, body]) => [path, what, body] as const),
  );
  test.each(cases)('%s with %s', async (path, _, body) => {
    const size = 500;
    const sent = new Map([size, FACTOR * size].map((one) => [one, JSON.stringify(body(one))]));
    expect(await growthOf(async (one) => send('POST', path, sent.get(one)), size)).toBeLessThan(LINEAR);
  });
});

test('the parts of a path, its query, and the number of the last event are answered in linear time', async () => {
  const ask = (size: number) =>
    Promise.all([
      send('GET', `/runs/${'x'.repeat(size)}/artifacts/${'%41'.repeat(size / 4)}`, undefined),
      send('GET', `/cluster/nodes?${'active=true&'.repeat(size / 12)}`, undefined),
      fetch(`${bench.api.url}/runs/r/events`, { headers: { 'last-event-id': '1'.repeat(size) } }),
    ]);
  expect(await growthOf(ask, 500)).toBeLessThan(LINEAR);
});

test('of many problems of a body, a hundred are told, and how many more there are', async () => {
  const answer = await fetch(`${bench.api.url}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: 'smoke', sets: array(2000, () => 1) }),
  });
  const { error } = (await answer.json()) as { error: { message: string; details: unknown[] } };
  expect(error.details).toHaveLength(100);
  expect(error.message).toMatch(/and 1900 more$/);
});

test('a scenario of twenty thousand unknown keys is refused in a few lines', async () => {
  const answer = await fetch(`${bench.api.url}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: text(array(20_000, (index) => `k${index}: ${index}`)) }),
  });
  expect(answer.status).toBe(422);
  const body = await answer.text();
  expect(body.length).toBeLessThan(200_000);
  expect(body).toContain('and 19900 more');
});
