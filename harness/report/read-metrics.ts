/** Resource use of a run as Prometheus scraped it: `metrics.json` in the run folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { byName } from '../analysis/order.js';
import type { Usage } from './sections/resources/schema.js';

export type MeteredUse = Omit<Usage, 'role' | 'source'> & { readonly service: string };

const exported = z.looseObject({
  schemaVersion: z.literal(1),
  groups: z.array(
    z.looseObject({
      name: z.string(),
      series: z.array(
        z.looseObject({ labels: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.number()])) }),
      ),
    }),
  ),
});

/** One entry for each task, in order of service and slot; empty when there is no such file, or none of this version. */
export async function readMetrics(runFolder: string): Promise<readonly MeteredUse[]> {
  const text = await readFile(join(runFolder, 'metrics.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const parsed = exported.safeParse(parseJson(text));
  if (!parsed.success) return [];
  const named = (wanted: string): readonly RawSeries[] =>
    parsed.data.groups.find(({ name }) => name === wanted)?.series ?? [];
  return meteredUse(named('containers'), named('scrapes'));
}

type Values = readonly (readonly [t: number, value: number])[];

interface RawSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Values;
}

/**
 * Turns counters, as cAdvisor names them, into rates between one scrape and the next. Times are seconds of run time;
 * those before the load are left out.
 * @param scrapes when the counters of each task were read; without them every value counts as read
 */
export function meteredUse(series: readonly RawSeries[], scrapes: readonly RawSeries[] = []): readonly MeteredUse[] {
  const readAt = new Map(scrapes.map(({ labels, values }) => [labels.task, new Map(values)]));
  const tasks = new Map<string, RawSeries[]>();
  for (const one of series) {
    const { task, slot = '' } = one.labels;
    if (task === undefined || slot === '') continue;
    const known = tasks.get(task);
    if (known === undefined) tasks.set(task, [one]);
    else known.push(one);
  }
  return [...tasks]
    .flatMap(([task, own]) => {
      const { service = '', slot = '', node = '' } = own[0]?.labels ?? {};
      const named = (name: string): readonly RawSeries[] => own.filter(({ labels }) => labels.__name__ === name);
      const [cpu, received, sent] = [
        'container_cpu_usage_seconds_total',
        'container_network_receive_bytes_total',
        'container_network_transmit_bytes_total',
      ].map((name) => rates(named(name), readAt.get(task)));
      const memory = new Map(named('container_memory_working_set_bytes')[0]?.values ?? []);
      const points = [...(cpu ?? [])].flatMap(([t, cores]) => {
        const bytes = memory.get(t);
        if (t < 0 || bytes === undefined) return [];
        const [receivedBytesPerSecond, sentBytesPerSecond] = [received?.get(t), sent?.get(t)];
        return [
          {
            t,
            cpu: cores,
            memoryBytes: bytes,
            ...(receivedBytesPerSecond === undefined ? {} : { receivedBytesPerSecond }),
            ...(sentBytesPerSecond === undefined ? {} : { sentBytesPerSecond }),
          },
        ];
      });
      return points.length === 0 ? [] : [{ id: `${service}.${slot}`, service, task, node, points }];
    })
    .sort(
      (a, b) =>
        byName(a.service, b.service) || slotOf(a.id) - slotOf(b.id) || (a.points[0]?.t ?? 0) - (b.points[0]?.t ?? 0),
    );
}

/**
 * The sum over all series of a task, at each moment but the first of a series. Prometheus repeats a value until the
 * next scrape, and for a while after the last one: that is no reading, and no rate of 0.
 */
function rates(
  series: readonly RawSeries[],
  readAt: ReadonlyMap<number, number> | undefined,
): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { values } of series) {
    let before: readonly [at: number, value: number] | undefined;
    for (const [t, value] of values) {
      const at = readAt === undefined ? t : readAt.get(t);
      if (at === undefined || (before !== undefined && at <= before[0])) continue;
      // A counter that is smaller than before belongs to a container that has ended.
      if (before !== undefined && value >= before[1])
        sums.set(t, (sums.get(t) ?? 0) + (value - before[1]) / (at - before[0]));
      before = [at, value];
    }
  }
  return new Map([...sums].sort(([a], [b]) => a - b));
}

function slotOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('.') + 1));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
