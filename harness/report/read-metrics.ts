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
  return parsed.success ? meteredUse(parsed.data.groups.find(({ name }) => name === 'containers')?.series ?? []) : [];
}

type Values = readonly (readonly [t: number, value: number])[];

interface RawSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Values;
}

/**
 * Turns counters, as cAdvisor names them, into rates between one scrape and the next. Times are seconds of run time;
 * those before the load are left out.
 */
export function meteredUse(series: readonly RawSeries[]): readonly MeteredUse[] {
  const tasks = new Map<string, RawSeries[]>();
  for (const one of series) {
    const { task, slot = '' } = one.labels;
    if (task !== undefined && slot !== '') tasks.set(task, [...(tasks.get(task) ?? []), one]);
  }
  return [...tasks]
    .flatMap(([task, own]) => {
      const { service = '', slot = '', node = '' } = own[0]?.labels ?? {};
      const named = (name: string): readonly RawSeries[] => own.filter(({ labels }) => labels.__name__ === name);
      const [cpu, received, sent] = [
        'container_cpu_usage_seconds_total',
        'container_network_receive_bytes_total',
        'container_network_transmit_bytes_total',
      ].map((name) => rates(named(name)));
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

/** The sum over all series of a task, at each moment but the first of a series. */
function rates(series: readonly RawSeries[]): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { values } of series) {
    for (const [index, [t, value]] of values.entries()) {
      const before = values[index - 1];
      if (before === undefined || t <= before[0]) continue;
      sums.set(t, (sums.get(t) ?? 0) + Math.max(0, value - before[1]) / (t - before[0]));
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
