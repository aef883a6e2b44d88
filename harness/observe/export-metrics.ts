/** The metrics of Prometheus during a run, kept in the run folder as `metrics.json` because Prometheus forgets them. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { eventsOf } from '../log/event-log.js';
import type { EventOf, RunEvent } from '../log/events.js';
import { files } from '../log/run-folder.js';
import { messageOf } from '../support/error-message.js';

interface ExportOptions {
  /** `http://tasks.prometheus:9090` */
  readonly prometheusUrl: string;
  readonly runFolder: string;
}

interface ExportedMetrics {
  readonly schemaVersion: 1;
  /** The time at which `t` is 0, ISO 8601. */
  readonly startedAt: string;
  readonly stepSeconds: number;
  readonly groups: readonly ExportedGroup[];
}

interface ExportedGroup {
  readonly name: string;
  /** PromQL. */
  readonly query: string;
  /** Why series are missing, as a sentence. */
  readonly problem?: string;
  /** `values` are pairs of run time in seconds and value; counters are raw. */
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [t: number, value: number])[];
  }[];
}

/** Raw series, or sums where only the sum is useful. Buckets are left out because the report has exact histograms. */
const QUERIES = {
  clients: '{__name__=~"mcp_client_.+",__name__!~".+_bucket"}',
  servers: '{__name__=~"mcp_server_.+",__name__!~".+_bucket"}',
  // The networks of a replica (three or four) are summed, because hundreds of replicas must fit.
  containers:
    '{__name__=~"container_(cpu_.+|memory_.+)"} or ' +
    'sum by (__name__, stack, service, slot, node, task) ({__name__=~"container_network_.+"})',
  // When the values above were read: a step between two scrapes repeats the first.
  scrapes: 'timestamp(container_cpu_usage_seconds_total)',
  // `> 0`, because the gateway has many slots for servers and only a few are in use.
  gateway:
    '{__name__=~"haproxy_(backend|server)_(sessions_total|current_sessions|http_responses_total|' +
    'connection_errors_total|response_errors_total|check_failures_total|active_servers)"} > 0',
  nodes:
    '{__name__=~"node_(load1|memory_MemAvailable_bytes|memory_MemTotal_bytes)"} or ' +
    'sum by (__name__, node, mode) (node_cpu_seconds_total{mode!="idle"})',
  bench: '{__name__=~"swarmbench_.+"}',
  up: 'up',
} as const satisfies Readonly<Record<string, string>>;

/** The scrape interval of the stack's Prometheus. */
const SCRAPE_SECONDS = 5;
const MAX_POINTS = 400;
const MAX_SERIES = 600;
const TIMEOUT_MS = 10_000;

const answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .object({
      result: z.array(
        z.object({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) }),
      ),
    })
    .optional(),
});

/** Writes `metrics.json`, unless the load of the run never began. Errors of Prometheus are written into the file. */
export async function exportMetrics({ prometheusUrl, runFolder }: ExportOptions): Promise<void> {
  const span = await windowOf(join(runFolder, files.events));
  if (span === undefined) return;
  const stepSeconds = Math.max(SCRAPE_SECONDS, Math.ceil((span.toSeconds - span.fromSeconds) / MAX_POINTS));
  const groups = await Promise.all(
    Object.entries(QUERIES).map(([name, query]) => ask(prometheusUrl, name, query, { ...span, stepSeconds })),
  );
  const exported: ExportedMetrics = {
    schemaVersion: 1,
    startedAt: new Date(span.startSeconds * 1000).toISOString(),
    stepSeconds,
    groups,
  };
  const path = join(runFolder, 'metrics.json');
  await writeFile(`${path}.part`, `${JSON.stringify(exported)}\n`);
  await rename(`${path}.part`, path);
}

interface Span {
  /** Epoch seconds of run time 0. */
  readonly startSeconds: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** From one scrape before the load to the last event. */
async function windowOf(eventsPath: string): Promise<Span | undefined> {
  let started: EventOf<'run.started'> | undefined;
  let last: RunEvent | undefined;
  for await (const event of eventsOf(eventsPath)) {
    last = event;
    if (event.type === 'run.started') started = event;
  }
  if (started === undefined || last === undefined) return undefined;
  const startSeconds = started.startAt / 1000;
  const toSeconds = Math.max(startSeconds, Date.parse(last.at) / 1000) + SCRAPE_SECONDS;
  return { startSeconds, fromSeconds: startSeconds - SCRAPE_SECONDS, toSeconds };
}

async function ask(
  url: string,
  name: string,
  query: string,
  { startSeconds, fromSeconds, toSeconds, stepSeconds }: Span & { readonly stepSeconds: number },
): Promise<ExportedGroup> {
  try {
    const form = new URLSearchParams({
      query,
      start: String(fromSeconds),
      end: String(toSeconds),
      step: String(stepSeconds),
    });
    const response = await fetch(new URL('/api/v1/query_range', url), {
      method: 'POST',
      body: form,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { data, error } = answer.parse(await response.json());
    if (data === undefined) return { name, query, problem: error ?? `HTTP ${response.status}`, series: [] };
    const left = data.result.length - MAX_SERIES;
    return {
      name,
      query,
      ...(left > 0 ? { problem: `${left} more series are left out` } : {}),
      series: data.result.slice(0, MAX_SERIES).map(({ metric, values }) => ({
        labels: metric,
        values: values.flatMap(([at, value]) =>
          Number.isFinite(Number(value))
            ? [[Math.round((at - startSeconds) * 1000) / 1000, Number(value)] as const]
            : [],
        ),
      })),
    };
  } catch (error) {
    return { name, query, problem: `${url}: ${messageOf(error)}`, series: [] };
  }
}
