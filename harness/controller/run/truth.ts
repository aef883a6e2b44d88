/** Asks the servers behind the targets how much they have answered, before each turn of an arm, and logs it. */
import { request } from 'undici';
import { z } from 'zod';
import type { TruthPlan } from '../../../scenarios/schema/plan.js';
import { askedTruths, readingTimes, type TruthCounts, type TruthSource } from '../../analysis/facts/truth.js';
import { messageOf } from '../../support/error-message.js';
import type { ActiveRun } from './active-run.js';

const READ_MS = 5_000;

/** A reading that fails is logged once, and the run goes on. */
export class TruthReader {
  private readonly sources: ReadonlyMap<string, TruthSource>;
  private readonly failed = new Set<string>();

  /** @param replicas URLs of all replicas that the run started */
  constructor(
    private readonly run: ActiveRun,
    private readonly replicas: readonly string[],
  ) {
    this.sources = new Map(askedTruths(run.plan).map(({ id, source }) => [id, source]));
  }

  /** Asks all of them now. */
  async read(): Promise<void> {
    await Promise.all([...this.sources].map(([id, source]) => this.readOne(id, source)));
  }

  /** Asks them whenever it is time. Precondition: the load has begun. */
  async follow(): Promise<void> {
    const { run } = this;
    if (this.sources.size === 0) return;
    for (const atMs of readingTimes(run.plan)) {
      if (!(await run.reaches(atMs, run.over)) || run.stopping.aborted) return;
      await this.read();
    }
  }

  private async readOne(source: string, of: TruthSource): Promise<void> {
    const now = (): number => Math.max(0, Math.round(this.run.tMs));
    const askedMs = now();
    try {
      const counts = await countsOf(of, this.replicas);
      this.run.record({ type: 'truth.read', source, askedMs, atMs: now(), counts });
    } catch (error) {
      if (this.failed.has(source)) return;
      this.failed.add(source);
      this.run.record({ type: 'truth.failed', source, problem: messageOf(error) });
    }
  }
}

async function countsOf(source: TruthSource, replicas: readonly string[]): Promise<TruthCounts> {
  if (source !== 'reference') return await countsAt(source);
  const each = await Promise.all(replicas.map(async (url) => ownCounts(await json(new URL('/stats', url)))));
  const sums = new Map<string, number>();
  for (const [operation, count] of each.flatMap((counts) => Object.entries(counts)))
    sums.set(operation, (sums.get(operation) ?? 0) + count);
  return Object.fromEntries(sums);
}

async function countsAt({ url, jsonPath, query, label }: TruthPlan): Promise<TruthCounts> {
  if (query !== undefined) return await prometheusCounts(url, query, label);
  const document = await json(new URL(url));
  return jsonPath === undefined ? ownCounts(document) : countsIn(document, jsonPath);
}

async function json(url: URL): Promise<unknown> {
  const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(READ_MS) });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${url.origin}${url.pathname} answered ${statusCode}`);
  return JSON.parse(text);
}

const byOutcome = z.record(z.string(), z.number());
const ownStats = z.looseObject({ requests: z.record(z.string(), byOutcome), tools: z.record(z.string(), byOutcome) });

/** Of `/stats` of the reference server: tools by their names, all else by its method. */
function ownCounts(document: unknown): TruthCounts {
  const parsed = ownStats.safeParse(document);
  if (!parsed.success)
    throw new Error('the document is not one of the reference server: say where the count is (truth.jsonPath)');
  const { requests, tools } = parsed.data;
  const { 'tools/call': _, ...others } = requests;
  return Object.fromEntries(Object.entries({ ...others, ...tools }).map(([name, counts]) => [name, sumOf(counts)]));
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const found = z.union([z.number(), z.record(z.string(), z.union([z.number(), byOutcome]))]);

function countsIn(document: unknown, path: readonly (string | number)[]): TruthCounts {
  const value = path.reduce<unknown>((inner, step) => {
    if (typeof step === 'number' && Array.isArray(inner)) return inner.at(step);
    return typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>)[step] : undefined;
  }, document);
  const parsed = found.safeParse(value);
  if (!parsed.success) throw new Error('at truth.jsonPath there is neither a number nor a map of numbers');
  if (typeof parsed.data === 'number') return { '': parsed.data };
  return Object.fromEntries(
    Object.entries(parsed.data).map(([name, counts]) => [name, typeof counts === 'number' ? counts : sumOf(counts)]),
  );
}

const sample = z.tuple([z.number(), z.string()]);
const queryResult = z.looseObject({
  data: z.discriminatedUnion('resultType', [
    z.looseObject({ resultType: z.literal('scalar'), result: sample }),
    z.looseObject({
      resultType: z.literal('vector'),
      result: z.array(z.looseObject({ metric: z.record(z.string(), z.string()), value: sample })),
    }),
  ]),
});

async function prometheusCounts(url: string, query: string, label: string | undefined): Promise<TruthCounts> {
  const at = new URL(url.endsWith('/') ? url : `${url}/`);
  const api = new URL('api/v1/query', at);
  api.searchParams.set('query', query);
  const parsed = queryResult.safeParse(await json(api));
  if (!parsed.success) throw new Error('the result of truth.query is neither a scalar nor a vector');
  const { data } = parsed.data;
  if (data.resultType === 'scalar') return { '': Number(data.result[1]) };
  const sums = new Map<string, number>();
  for (const { metric, value } of data.result) {
    const name = label === undefined ? '' : (metric[label] ?? '');
    sums.set(name, (sums.get(name) ?? 0) + Number(value[1]));
  }
  return Object.fromEntries(sums);
}
