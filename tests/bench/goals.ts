import { median } from './median.js';
import type { RoundResult } from './summary.js';
import { table } from './table.js';

/** At least so many times as many answers per processor-second. */
interface Goal {
  readonly who: string;
  readonly than: string;
  readonly times: number;
}

const goals: readonly Goal[] = [
  { who: 'wire', than: 'wrk', times: 1 },
  { who: 'engine', than: 'wrk', times: 1 },
  { who: 'wire x16', than: 'wrk', times: 10 },
  { who: 'engine x16', than: 'wrk', times: 10 },
  { who: 'engine', than: 'autocannon, static', times: 1.5 },
  { who: 'engine', than: 'SDK client', times: 30 },
  { who: 'engine, SSE', than: 'engine', times: 0.85 },
  { who: 'engine x16, SSE', than: 'engine x16', times: 0.85 },
  { who: 'wire, sdk', than: 'SDK client', times: 0.75 },
  { who: 'wire, HTTP+SSE', than: 'SDK client, HTTP+SSE', times: 10 },
  { who: 'wire, stdio', than: 'SDK client, stdio', times: 1.2 },
  { who: 'wire, tcp', than: 'net, tcp', times: 1.1 },
  { who: 'wire x16, tcp', than: 'net x16, tcp, corked', times: 2.5 },
  { who: 'wire, WebSocket', than: 'ws', times: 1.7 },
  { who: 'wire x16, WebSocket', than: 'ws x16, corked', times: 5 },
];

/** Median of the ratios within each round, beside the goal; goals whose contestants did not run are left out. */
export function goalTable(results: readonly RoundResult[]): string {
  const lines = goals.flatMap(({ who, than, times }) => {
    const ratios = results
      .filter(({ name }) => name === who)
      .flatMap(({ round, perCpuSecond }) =>
        results
          .filter((other) => other.name === than && other.round === round)
          .map((other) => perCpuSecond / other.perCpuSecond),
      );
    if (ratios.length === 0) return [];
    const ratio = median(ratios);
    return [[`${who} to ${than}`, ratio.toFixed(2), times.toFixed(2), ratio >= times ? 'met' : 'missed']];
  });
  return table([['ratio', 'measured', 'goal', ''], ...lines]);
}
