import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ControllerBench } from '../../tests/support/controller/controller-bench.js';
import { testPlan } from '../../tests/support/controller/test-plan.js';
import { readSse, WireWorker } from '../../tests/support/controller/wire-worker.js';
import { tempFolder } from '../../tests/support/temp-folder.js';
import type { Worker } from '../controller/workers/worker-registry.js';
import type { ApiAccess } from './access.js';
import { TokenBook } from './tokens.js';

let bench: ControllerBench;
let finishedRun: string;
beforeAll(async () => {
  bench = await new ControllerBench().start();
  const run = bench.controller.submit(testPlan([1]), { command: 'test', workers: 1 });
  await run.finished;
  finishedRun = run.id;
}, 20_000);
afterAll(() => bench.stop());

/** As soon as there are any. */
async function workersOf({ controller }: ControllerBench): Promise<readonly Worker[]> {
  while (controller.registry.all().length === 0) await sleep(20);
  return controller.registry.all();
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${bench.api.url}${path}`, { headers });
  return { status: answer.status, body: await answer.json() };
}

async function post(path: string, body: unknown): Promise<Answer> {
  const answer = await fetch(`${bench.api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

function code(answer: Answer): unknown {
  return (answer.body as { error?: { code?: unknown } }).error?.code;
}

/** Not with fetch, which neither lets the caller set Host nor keeps `..` in a path. */
async function raw(path: string, headers: Record<string, string>): Promise<Answer> {
  const { port } = new URL(bench.api.url);
  const asked = request({ host: '127.0.0.1', port, path, headers }).end();
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown };
}

describe('runs', () => {
  test('a finished run is listed and shown with its verdict', async () => {
    expect(await get('/runs')).toMatchObject({
      status: 200,
      body: {
        runs: [
          {
            runId: finishedRun,
            scenario: 'test',
            workers: 1,
            state: { kind: 'finished', verdict: { kind: 'passed' } },
          },
        ],
      },
    });
    expect(await get(`/runs/${finishedRun}`)).toMatchObject({ status: 200, body: { runId: finishedRun } });
  });

  test.each([
    ['an unknown run', '/runs/20200101-000000-no-such', 404, 'RUN_NOT_FOUND'],
    ['a name that is not a run', '/runs/..%2f..%2fetc', 404, 'RUN_NOT_FOUND'],
    ['the live view of a finished run', '/runs/DONE/live', 409, 'RUN_NOT_LIVE'],
    ['an unknown path', '/nothing', 404, 'NOT_FOUND'],
    ['a path that is not UTF-8', '/runs/%E0%A4%A', 400, 'BAD_REQUEST'],
    ['an unknown artifact', '/runs/DONE/artifacts/none.json', 404, 'ARTIFACT_NOT_FOUND'],
  ])('%s is an error with a code', async (_name, path, status, wanted) => {
    const answer = await get(path.replace('DONE', finishedRun));
    expect([answer.status, code(answer)]).toEqual([status, wanted]);
    expect(answer.body).toMatchObject({ error: { message: expect.any(String), hint: expect.any(String) } });
  });

  test.each([
    ['a body that is not JSON', '{', 400, 'INVALID_BODY'],
    ['an unknown key', { scenario: 'smoke', speed: 1 }, 400, 'INVALID_BODY'],
    ['an unknown scenario', { scenario: 'smokey' }, 422, 'INVALID_SCENARIO'],
    ['a path instead of a name', { scenario: '../package.json' }, 422, 'INVALID_SCENARIO'],
    ['a body that is too large', { scenario: 'x'.repeat(600_000) }, 413, 'BODY_TOO_LARGE'],
  ])('a request with %s is refused', async (_name, body, status, wanted) => {
    const answer = await post('/runs', body);
    expect([answer.status, code(answer)]).toEqual([status, wanted]);
  });

  test('all mistakes of an inline scenario are reported, with their places', async () => {
    const answer = await post('/runs', {
      scenario: 'name: inline\nstages:\n  - { name: a, durration: 1s }\nworkloads: {}\n',
    });
    expect(answer.status).toBe(422);
    const { error } = answer.body as { error: { message: string; details: readonly { line: number }[] } };
    expect(error.message).toContain('durration');
    expect(error.message).toContain('workloads');
    expect(new Set(error.details.map(({ line }) => line)).size).toBeGreaterThan(1);
  });
});

describe('events of a run', () => {
  async function events(runId: string, after?: number): Promise<readonly number[]> {
    const answer = await fetch(`${bench.api.url}/runs/${runId}/events`, {
      headers: after === undefined ? {} : { 'last-event-id': String(after) },
    });
    if (answer.body === null) throw new Error('no body');
    const ids: number[] = [];
    for await (const { id } of readSse(answer.body)) ids.push(id);
    return ids;
  }

  test('of a finished run are all of them, or those after Last-Event-ID; then the stream ends', async () => {
    const all = await events(finishedRun);
    expect(all).toEqual(all.map((_, index) => index + 1));
    expect(await events(finishedRun, 5)).toEqual(all.slice(5));
  });

  test('of an active run continue on a new connection, without a gap or a repeat, to the end', async () => {
    const run = bench.controller.submit(testPlan([2]), { command: 'test', workers: 1 });
    const abort = new AbortController();
    const first = await fetch(`${bench.api.url}/runs/${run.id}/events`, { signal: abort.signal });
    const seen: number[] = [];
    if (first.body === null) throw new Error('no body');
    for await (const { id, type } of readSse(first.body)) {
      seen.push(id);
      if (type === 'run.started') break;
    }
    abort.abort();
    const rest = await events(run.id, seen.at(-1));
    // The stream ends when everything is done, so the reports exist.
    expect(await get(`/runs/${run.id}/artifacts/report.json`)).toMatchObject({ status: 200 });
    await run.finished;
    expect([...seen, ...rest]).toEqual([...seen, ...rest].map((_, index) => index + 1));
    expect(await events(run.id)).toHaveLength(seen.length + rest.length);
  }, 20_000);
});

describe('artifacts', () => {
  test('are the plain files of the run folder, without private files and nothing below or beside it', async () => {
    const folder = join(bench.resultsFolder, finishedRun);
    writeFileSync(join(folder, 'report.json'), '{"ok":true}');
    writeFileSync(join(folder, 'secrets.json'), 'secret');
    mkdirSync(join(folder, 'logs'), { recursive: true });
    symlinkSync('/etc/passwd', join(folder, 'link'));
    const { body } = await get(`/runs/${finishedRun}/artifacts`);
    const names = (body as { artifacts: readonly { name: string }[] }).artifacts.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['events.jsonl', 'report.json', 'telemetry.jsonl']));
    for (const hidden of ['secrets.json', 'logs', 'link', 'controller.lease']) expect(names).not.toContain(hidden);
    expect(await get(`/runs/${finishedRun}/artifacts/report.json`)).toEqual({ status: 200, body: { ok: true } });
  });

  test.each(['secrets.json', 'link', '..%2fapi-tokens.json', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '..%5c..%5cx', '%00'])(
    'do not include %s',
    async (name) => {
      const answer = await raw(`/runs/${finishedRun}/artifacts/${name}`, { host: new URL(bench.api.url).host });
      expect(answer.status).toBe(404);
    },
  );
});

describe('access', () => {
  test.each([
    ['is refused for a rebound name', { host: 'evil.example:8888' }, 403, 'HOST_NOT_ALLOWED'],
    [
      'is refused for a page of another origin',
      { host: 'localhost', origin: 'https://evil.example' },
      403,
      'ORIGIN_NOT_ALLOWED',
    ],
    ['is refused for a sandboxed page', { host: 'localhost', origin: 'null' }, 403, 'ORIGIN_NOT_ALLOWED'],
    ['is allowed for its own page', { host: 'localhost:1', origin: 'http://localhost:1' }, 200, undefined],
    ['is allowed for a program', { host: '127.0.0.1' }, 200, undefined],
  ])('%s', async (_name, headers, status, wanted) => {
    const answer = await raw('/runs', headers);
    expect([answer.status, code(answer)]).toEqual([status, wanted]);
  });

  test('needs the token of the right role when the API is bound to more than loopback', async () => {
    const open = await new ControllerBench().start({ host: '0.0.0.0' });
    try {
      const book = new TokenBook(open.resultsFolder);
      const [viewer, operator, registrar] = (['viewer', 'operator', 'worker'] as const).map(
        (role) => book.add(role, '').secret,
      );
      const status = async (method: string, path: string, token?: string): Promise<number> =>
        (
          await fetch(`${open.api.url}${path}`, {
            method,
            headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
          })
        ).status;
      const matrix: Record<string, readonly number[]> = {};
      for (const [method, path] of [
        ['GET', '/healthz'],
        ['GET', '/runs'],
        ['GET', '/metrics'],
        ['GET', '/workers'],
        ['GET', '/workers/w9'],
        ['GET', '/tokens'],
        ['GET', '/audit'],
        ['DELETE', '/tokens/none'],
        ['POST', '/tokens'],
        ['POST', '/runs'],
        ['POST', '/workers'],
      ] as const) {
        matrix[`${method} ${path}`] = await Promise.all(
          [undefined, 'wrong', viewer, operator, registrar].map((token) => status(method, path, token)),
        );
      }
      // 400: access is granted, but the empty body is refused.
      expect(matrix).toEqual({
        'GET /healthz': [200, 200, 200, 200, 200],
        'GET /runs': [401, 401, 200, 200, 403],
        'GET /metrics': [401, 401, 200, 200, 403],
        'GET /workers': [401, 401, 200, 200, 403],
        'GET /workers/w9': [401, 401, 404, 404, 403],
        'GET /tokens': [401, 401, 403, 200, 403],
        'GET /audit': [401, 401, 403, 200, 403],
        'DELETE /tokens/none': [401, 401, 403, 404, 403],
        'POST /tokens': [401, 401, 403, 400, 403],
        'POST /runs': [401, 401, 403, 400, 403],
        'POST /workers': [401, 401, 403, 403, 400],
      });
      const worker = new WireWorker(open.api.url, {}, registrar);
      await worker.register();
      expect((await worker.heartbeat()).status).toBe(200);
      worker.token = operator ?? '';
      expect((await worker.heartbeat()).status).toBe(401);
      expect(await status('POST', `/workers/${worker.id}/heartbeat`)).toBe(401);
      expect(await status('POST', '/workers/w9/heartbeat')).toBe(401);
    } finally {
      await open.stop();
    }
  });

  test('tokens are listed, added and revoked at once; their file holds digests; changes are audited', async () => {
    const open = await new ControllerBench().start({ host: '0.0.0.0' });
    try {
      const book = new TokenBook(open.resultsFolder);
      const operator = book.add('operator', 'of the test').secret;
      const call = async (method: string, path: string, body?: unknown, token = operator): Promise<Answer> => {
        const answer = await fetch(`${open.api.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { status: answer.status, body: await answer.json() };
      };
      const made = await call('POST', '/tokens', { role: 'viewer', name: 'a screen' });
      expect(made).toMatchObject({ status: 201, body: { role: 'viewer', name: 'a screen' } });
      const { id, secret } = made.body as { readonly id: string; readonly secret: string };
      const file = join(open.resultsFolder, 'api-tokens.json');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      for (const hidden of [secret, operator]) expect(readFileSync(file, 'utf8')).not.toContain(hidden);
      expect(await call('GET', '/runs', undefined, secret)).toMatchObject({ status: 200 });
      const { body: listed } = await call('GET', '/tokens');
      expect(listed).toMatchObject({ tokens: [{ name: 'of the test' }, { id, role: 'viewer' }] });
      expect(JSON.stringify(listed)).not.toContain(secret);
      expect(await call('POST', '/runs', { scenario: 'smoke' }, secret)).toMatchObject({ status: 403 });
      expect(await call('DELETE', `/tokens/${id}`)).toMatchObject({ status: 200 });
      expect(await call('GET', '/runs', undefined, secret)).toMatchObject({ status: 401 });
      // As `swarmbench token` does, in another process.
      const late = book.add('viewer', '');
      expect(await call('GET', '/runs', undefined, late.secret)).toMatchObject({ status: 200 });
      const { body } = await call('GET', '/audit');
      expect((body as { entries: readonly unknown[] }).entries).toMatchObject([
        { call: `DELETE /tokens/${id}`, status: 200, caller: expect.stringMatching(/^t/) },
        { call: 'POST /runs', status: 403 },
        { call: 'POST /tokens', status: 201, made: `/tokens/${id}`, from: expect.stringContaining('127.0.0.1') },
      ]);
      expect(statSync(join(open.resultsFolder, 'audit.jsonl')).mode & 0o777).toBe(0o600);
    } finally {
      await open.stop();
    }
  });

  test('the secrets of a token file of the first version go on being good, and are hashed', () => {
    const folder = tempFolder();
    const secrets = { viewer: 'v'.repeat(20), operator: 'o'.repeat(20), worker: 'w'.repeat(20) };
    writeFileSync(join(folder, 'api-tokens.json'), JSON.stringify(secrets));
    for (const book of [new TokenBook(folder), new TokenBook(folder)])
      for (const [role, secret] of Object.entries(secrets)) expect(book.find(secret)).toMatchObject({ role });
    expect(readFileSync(join(folder, 'api-tokens.json'), 'utf8')).not.toContain(secrets.viewer);
  });

  test('a worker that no run started gets nothing, though it is the first and says what ours would say', async () => {
    const own = await new ControllerBench().start();
    try {
      const run = own.controller.submit(testPlan([1]), { command: 'test', workers: 1 });
      const rogue = new WireWorker(own.api.url, { slot: 1 });
      await rogue.register();
      const seen: string[] = [];
      const abort = new AbortController();
      const watching = (async () => {
        for await (const { order } of rogue.orders(0, abort.signal)) seen.push(order.type);
      })().catch(() => undefined);
      const beat = setInterval(() => void rogue.heartbeat().catch(() => undefined), 100);
      const registered = await run.finished.then(() => readFileSync(join(run.folder, 'events.jsonl'), 'utf8'));
      clearInterval(beat);
      abort.abort();
      await watching;
      expect((await run.finished).verdict).toMatchObject({ kind: 'passed' });
      expect(seen).toEqual([]);
      expect(registered).not.toContain(`"workerId":"${rogue.id}"`);
    } finally {
      await own.stop();
    }
  }, 40_000);

  test('the incarnation of a worker, which the log shows, is not enough to take its place', async () => {
    const own = await new ControllerBench().start();
    try {
      const run = own.controller.submit(testPlan([1]), { command: 'test', workers: 1 });
      const [ours] = await workersOf(own);
      const rogue = new WireWorker(own.api.url, ours?.registration);
      await rogue.register();
      expect([rogue.id === ours?.id, rogue.token === ours?.token]).toEqual([false, false]);
      expect((await run.finished).verdict).toMatchObject({ kind: 'passed' });
    } finally {
      await own.stop();
    }
  }, 40_000);

  test('files that name processes are private during a run, and its operator token is for it alone', async () => {
    const closed: ApiAccess = { kind: 'tokens', find: () => undefined, hint: 'Look elsewhere.' };
    const own = await new ControllerBench().start({ access: closed });
    try {
      const run = own.controller.submit(testPlan([30]), { command: 'test', workers: 1 });
      for await (const event of run.events()) if (event.type === 'stage.started') break;
      const modes = ['events.jsonl', 'controller.lease', 'secrets.json'].map(
        (name) => statSync(join(run.folder, name)).mode & 0o777,
      );
      expect(modes).toEqual([0o600, 0o600, 0o600]);
      const { run: tokens } = JSON.parse(readFileSync(join(run.folder, 'secrets.json'), 'utf8')) as {
        readonly run: { readonly operator: string; readonly worker: string };
      };
      const call = async (method: string, path: string, token?: string): Promise<unknown> => {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
        const answer = await fetch(`${own.api.url}${path}`, {
          method,
          headers: token === undefined ? {} : headers,
          ...(method === 'POST' ? { body: '{}' } : {}),
        });
        return answer.status;
      };
      expect([
        await call('GET', `/runs/${run.id}`),
        await call('GET', '/runs', tokens.operator),
        await call('POST', '/runs', tokens.operator),
        await call('POST', `/runs/${run.id}/stop`, tokens.worker),
        await call('POST', '/workers', tokens.operator),
        await call('GET', `/runs/${run.id}`, tokens.operator),
        await call('POST', `/runs/${run.id}/stop`, tokens.operator),
      ]).toEqual([401, 401, 401, 401, 401, 200, 202]);
      await run.finished;
      expect(existsSync(join(run.folder, 'secrets.json'))).toBe(false);
      expect(statSync(join(run.folder, 'events.jsonl')).mode & 0o044).toBe(statSync(run.folder).mode & 0o044);
      expect(await call('GET', `/runs/${run.id}`, tokens.operator)).toBe(401);
    } finally {
      await own.stop();
    }
  }, 40_000);
});

describe('the controller itself', () => {
  test('is healthy and ready, and no longer ready when it closes', async () => {
    const own = await new ControllerBench().start();
    const ready = async (): Promise<number> => (await fetch(`${own.api.url}/readyz`)).status;
    expect([(await fetch(`${own.api.url}/healthz`)).status, await ready()]).toEqual([200, 200]);
    await own.controller.close();
    expect(await ready()).toBe(503);
    await own.stop();
  });

  test('has metrics about runs, workers and telemetry', async () => {
    const text = await (await fetch(`${bench.api.url}/metrics`)).text();
    for (const name of [
      'swarmbench_run_info',
      'swarmbench_run_stage',
      'swarmbench_workers',
      'swarmbench_heartbeat_timeouts_total',
      'swarmbench_telemetry_batches_total',
      'swarmbench_telemetry_bytes_total',
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
    expect(Number(/^swarmbench_telemetry_batches_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  });

  test('lists scenarios and profiles', async () => {
    expect(await get('/scenarios')).toMatchObject({ status: 200, body: { scenarios: expect.any(Array) } });
    expect(await get('/profiles')).toMatchObject({ status: 200, body: { profiles: expect.any(Array) } });
  });

  test('says that it is not part of a swarm', async () => {
    for (const path of ['', '/nodes?active=true', '/services/mcp-server/replicas', '/status', '/sessions/x']) {
      expect(await get(`/cluster${path}`)).toMatchObject({
        status: 404,
        body: { error: { code: 'NO_CLUSTER', hint: expect.stringContaining('swarmbench up') } },
      });
    }
    expect(await get('/cluster/nodes?active=perhaps')).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_REQUEST' } },
    });
  });

  test('describes every endpoint', async () => {
    const { body } = await get('/openapi.json');
    const { openapi, paths } = body as { openapi: string; paths: Record<string, Record<string, { summary: string }>> };
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths).toSorted()).toEqual([
      '/audit',
      '/cluster',
      '/cluster/nodes',
      '/cluster/services/{name}/replicas',
      '/cluster/sessions/{id}',
      '/cluster/status',
      '/counters-stats',
      '/discovery',
      '/faults/halt',
      '/healthz',
      '/metrics',
      '/openapi.json',
      '/profiles',
      '/readyz',
      '/runs',
      '/runs/{id}',
      '/runs/{id}/adjust',
      '/runs/{id}/artifacts',
      '/runs/{id}/artifacts/{name}',
      '/runs/{id}/events',
      '/runs/{id}/live',
      '/runs/{id}/stop',
      '/scenarios',
      '/tokens',
      '/tokens/{id}',
      '/workers',
      '/workers/{id}',
      '/workers/{id}/assignments',
      '/workers/{id}/heartbeat',
      '/workers/{id}/opened',
      '/workers/{id}/preflight',
      '/workers/{id}/telemetry',
    ]);
    for (const operations of Object.values(paths))
      for (const { summary } of Object.values(operations)) expect(summary).toMatch(/\.$/);
  });
});

describe('a run over the API', () => {
  test('can be watched, adjusted and stopped', async () => {
    const run = bench.controller.submit(testPlan([30]), { command: 'test', workers: 1 });
    for await (const event of run.events()) if (event.type === 'stage.started') break;
    expect(await get(`/runs/${run.id}/live`)).toMatchObject({
      status: 200,
      body: { stageName: 'stage-1', remainingMs: expect.any(Number) },
    });
    expect(await get('/workers')).toMatchObject({
      body: {
        workers: expect.arrayContaining([
          expect.objectContaining({ state: 'working', runId: run.id, connected: true }),
        ]),
      },
    });
    expect(await post(`/runs/${run.id}/adjust`, { load: 0.2 })).toMatchObject({
      status: 202,
      body: { adjustId: 'j1', load: 0.2 },
    });
    expect(await post(`/runs/${run.id}/adjust`, { load: 5 })).toMatchObject({
      status: 409,
      body: { error: { code: 'ADJUST_REFUSED' } },
    });
    expect(await post(`/runs/${run.id}/stop`, {})).toMatchObject({
      status: 202,
      body: { state: { kind: 'stopping', reason: 'user', mode: 'drain' } },
    });
    for await (const event of run.events()) {
      if (event.type === 'run.finished')
        expect(await get(`/runs/${run.id}`)).toMatchObject({ body: { state: { kind: 'analysing' } } });
    }
    await run.finished;
    expect(await get(`/runs/${run.id}`)).toMatchObject({ body: { state: { kind: 'finished' } } });
    expect(await post(`/runs/${run.id}/stop`, {})).toMatchObject({
      status: 409,
      body: { error: { code: 'RUN_NOT_LIVE' } },
    });
  }, 20_000);
});
