/**
 * Random damage to everything that swarmbench reads: whatever comes, there is a result or an error with a code, and the
 * program goes on. By hand: SWARMBENCH_FUZZ_MINUTES=10 npm test -- tests/programs/fuzz
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { RunHistory } from '../../harness/log/run-history.js';
import { reportSchema } from '../../harness/report/schema.js';
import { writeReport } from '../../harness/report/write-report.js';
import { codeOf } from '../../harness/support/error-message.js';
import { loadPlan } from '../../scenarios/schema/load-plan.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { ControllerBench } from '../support/controller/controller-bench.js';
import { testPlan } from '../support/controller/test-plan.js';
import { batchOf, WireWorker } from '../support/controller/wire-worker.js';
import { damagedText, damagedValue, fuzz, fuzzBudgetMs, pick, type Random } from '../support/damage.js';
import { packageRoot } from '../support/package-root.js';
import { richEvents, richOptions, richPlan, runFolder } from '../support/report/run-folder.js';
import { tempFolder } from '../support/temp-folder.js';

const BUDGET_MS = fuzzBudgetMs(15_000);
const TIMEOUT_MS = BUDGET_MS * 4 + 60_000;

describe('whatever is damaged', () => {
  test(
    'a run folder gives a whole report or an error with a code, and the list of runs goes on',
    async () => {
      await using sample = await runFolder(richPlan(), richOptions, richEvents);
      const results = tempFolder();
      const folder = join(results, '20260101-120000-damaged-abcd');
      mkdirSync(folder);
      const files = readdirSync(sample.path).filter((name) => name.endsWith('.jsonl'));
      let reports = 0;
      const rounds = await fuzz(BUDGET_MS, async (random) => {
        cpSync(sample.path, folder, { recursive: true });
        const extra = [
          [join(folder, 'metrics.json'), '{"schemaVersion":1,"groups":[]}'],
          [join(results, 'calibration.json'), '{"schemaVersion":1}'],
        ] as const;
        for (const [path, text] of extra) writeFileSync(path, damagedText(random, text));
        for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1) {
          const path = join(folder, pick(random, files));
          writeFileSync(path, damagedText(random, readFileSync(path, 'utf8')));
        }
        await new RunHistory(results).list(() => undefined);
        const report = await writeReport(folder).catch((error: unknown) => {
          expect(codeOf(error)).toEqual(expect.any(String));
          return undefined;
        });
        if (report === undefined) return;
        reports += 1;
        const written = reportSchema.safeParse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')));
        if (!written.success) expect(report.notes[0]).toContain('the log is damaged');
        expect(readFileSync(join(folder, 'report.html'), 'utf8')).toMatch(/<\/html>\s*$/);
      });
      expect(rounds).toBeGreaterThan(3);
      expect(reports).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test(
    'a scenario, a profile or an mcp.json gives a plan or problems with their places',
    async () => {
      const folder = join(packageRoot, 'scenarios');
      const scenarios = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
      const config = JSON.stringify({ mcpServers: { a: { url: 'http://localhost:1/mcp', headers: { x: 'y' } } } });
      const rounds = await fuzz(BUDGET_MS, (random) => {
        const text = damagedText(random, readFileSync(join(folder, pick(random, scenarios)), 'utf8'));
        const files = new Map([
          ['s.yaml', text],
          ['mcp.json', damagedText(random, config)],
        ]);
        const result = loadPlan(
          { scenario: 's.yaml', env: {}, ...(random() < 0.3 ? { mcpConfig: { file: 'mcp.json' } } : {}) },
          { list: () => [], readText: (path) => files.get(path) },
        );
        if (!result.ok) expect(formatProblems(result.problems)).toMatch(/^\S+:\d+:\d+: /);
      });
      expect(rounds).toBeGreaterThan(10);
    },
    TIMEOUT_MS,
  );

  test(
    'the API answers every request with what it promises, and goes on',
    async () => {
      const errors: unknown[] = [];
      const bench = await new ControllerBench().start({ onInternalError: (error) => errors.push(error) });
      try {
        const { body: openapi } = await ask(bench, 'GET', '/openapi.json');
        const { paths } = openapi as { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
        const routes = Object.entries(paths).flatMap(([path, methods]) =>
          Object.keys(methods)
            // They stay open, and the streams of finished runs are asked for in the tests of the API.
            .filter(() => !/assignments|events/.test(path))
            .map((method) => [method.toUpperCase(), path] as const),
        );
        const run = bench.controller.submit(testPlan([0.5]), { command: 'test', workers: 1 });
        await run.finished;
        const worker = new WireWorker(bench.api.url);
        await worker.register();
        const ids = [run.id, worker.id, 'none', '..%2f..', '%00', '%E0%A4%A', 'x'.repeat(5000)];
        const rounds = await fuzz(BUDGET_MS, async (random) => {
          const [method, path] = pick(random, routes);
          const filled = path.replaceAll(/\{\w+\}/g, () => pick(random, ids));
          const query = random() < 0.2 ? `?${pick(random, ['active=maybe', 'a[b]=1', '%', '&&=', '__proto__=1'])}` : '';
          const token = pick(random, [worker.token, undefined, 'x']);
          const body = method === 'POST' ? bodyFor(random, path) : undefined;
          const { status, body: answer } = await ask(bench, method, `${filled}${query}`, body, token);
          if (status >= 400)
            expect(answer).toMatchObject({ error: { code: expect.any(String), hint: expect.any(String) } });
          expect({ status, isFine: status < 500 || status === 503, errors }).toEqual({
            status,
            isFine: true,
            errors: [],
          });
        });
        expect(rounds).toBeGreaterThan(20);
        expect((await ask(bench, 'GET', '/healthz')).status).toBe(200);
      } finally {
        await bench.stop();
      }
    },
    TIMEOUT_MS,
  );
});

/** What each route takes, before it is damaged. None of them starts a run. */
const BODIES: Readonly<Record<string, object>> = {
  '/runs': { scenario: 'name: x\nstages: []\nworkload: {}\n', sets: ['a=1'], workers: 1, labels: { a: 'b' } },
  '/runs/{id}/stop': { mode: 'now', reason: 'user', detail: 'x' },
  '/runs/{id}/adjust': { load: 0.5, profile: 'steady' },
  '/tokens': { role: 'viewer', name: 'x' },
  '/workers': new WireWorker('').registration,
  '/workers/{id}/heartbeat': { protocol: 1, now: 1, clock: { offsetMs: 1, roundTripMs: 1 } },
  '/workers/{id}/preflight': { protocol: 1, runId: 'x', ok: true, tools: [], exchanges: [] },
  '/workers/{id}/telemetry': batchOf({ runId: 'x', sequence: 1, fromMs: 0, toMs: 1000, operations: 3 }),
};

function bodyFor(random: Random, path: string): string {
  const whole = BODIES[path] ?? {};
  if (random() < 0.05)
    return pick(random, ['['.repeat(50_000), '{"a":'.repeat(20_000), '', '\u0000', '"x"'.repeat(1000)]);
  if (random() < 0.3) return damagedText(random, JSON.stringify(whole));
  return JSON.stringify(damagedValue(random, whole));
}

async function ask(
  { api }: ControllerBench,
  method: string,
  path: string,
  body?: string,
  token?: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(`${api.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: answer.status, body: isJson ? (JSON.parse(text) as unknown) : text };
}
