/** Lists of the report with more rows than its tables show at once, each as a CSV file beside them. */
import { MOST_ROWS } from '../html/table.js';
import type { Report } from '../schema.js';
import { tidy } from '../tidy.js';

const lists = [
  'thresholds',
  'stages',
  'profiles',
  'operations',
  'errors',
  'workers',
  'replicas',
  'events',
  'balance',
] as const satisfies readonly (keyof Report)[];

/** Name and content of each file. */
export function longLists(report: Report): readonly (readonly [name: string, text: string])[] {
  return lists.flatMap((key) => {
    const rows: readonly object[] = report[key];
    return rows.length > MOST_ROWS ? [[`${key}.csv`, csvOf(rows)] as const] : [];
  });
}

/** Values inside a row have the path to them as the name of their column: `latencyMs.p95`. */
function csvOf(rows: readonly object[]): string {
  const flat = rows.map((row) => new Map(valuesOf(row, '')));
  const columns = [...new Set(flat.flatMap((row) => [...row.keys()]))];
  const lines = flat.map((row) => columns.map((column) => cellOf(row.get(column))).join(','));
  return `${[columns.map(cellOf).join(','), ...lines].join('\n')}\n`;
}

type Value = string | number | boolean | null | undefined;

function valuesOf(value: object, path: string): [column: string, value: Value][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, Value][] =>
    typeof inner === 'object' && inner !== null
      ? valuesOf(inner, `${path}${key}.`)
      : [[`${path}${key}`, inner as Value]],
  );
}

/** RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe. */
function cellOf(value: Value): string {
  if (typeof value !== 'string') return value === null || value === undefined ? '' : String(value);
  const text = tidy(value, 2000);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
