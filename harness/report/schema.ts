/**
 * `report.json`: the product. Everything else is rendered from it and from nothing else. Its keys are the frame's and
 * the sections' own; each section's folder holds the schema of its keys. Times are ISO 8601 or seconds, latencies
 * milliseconds, rates per second, sizes bytes; null where there was no data.
 */
import { z } from 'zod';
import { frame } from './frame.js';
import { sections } from './sections.js';

/** The order of the keys in version 1 of `report.json`. Keys that are not in it follow in the order of the sections. */
const firstKeys: readonly string[] = [
  ...Object.keys(frame),
  'thresholds',
  'summary',
  'stages',
  'profiles',
  'operations',
  'errors',
  'memory',
  'neighbours',
  'misbehaviour',
  'streams',
  'timeline',
  'heatMap',
  'trials',
  'workers',
  'replicas',
  'affinity',
  'usage',
  'faults',
  'events',
  'preflight',
  'environment',
  'plan',
  'balance',
  'histograms',
];

type ShapeOf<List extends readonly unknown[]> = List extends readonly [{ readonly schema: infer Shape }, ...infer Rest]
  ? Shape & ShapeOf<Rest>
  : unknown;
type Flat<Type> = { [Key in keyof Type]: Type[Key] };
type ReportShape = Flat<typeof frame & ShapeOf<typeof sections>>;

const shape: Readonly<Record<string, z.ZodType>> = Object.assign({}, frame, ...sections.map(({ schema }) => schema));
const keys = [...new Set([...firstKeys, ...Object.keys(shape)])];

export const reportSchema = z.strictObject(
  Object.fromEntries(keys.map((key) => [key, shape[key]])) as unknown as ReportShape,
);

export type Report = z.infer<typeof reportSchema>;

export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema, { target: 'draft-2020-12' });
}
