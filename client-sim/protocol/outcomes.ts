/** Outcomes of operations around faults, as telemetry carries them. */
import { z } from 'zod';

const count = z.number().int().min(0);

/** Outcomes of one (stage, profile, operation) and category, by bins of 100 ms of the time when they were due. */
export const outcomeSeries = z.strictObject({
  stage: count,
  profile: z.string(),
  operation: z.string(),
  /** Of the failure, `lost` included; '': a correct answer. */
  category: z.string(),
  /** Triples of the bin (due time in ms / 100), the class of the time from due to the end, and how many. */
  counts: z.array(count),
});
export type OutcomeSeries = z.infer<typeof outcomeSeries>;

const CLASSES_PER_DOUBLING = 16;
const LOWEST_MS = 0.1;
/** An hour. */
export const MOST_CLASS = 404;

/** The class of a duration: 16 to each doubling, so that a class is 4.4 % wide. Class 0 is up to 0.1 ms. */
export function durationClass(ms: number): number {
  if (!(ms > LOWEST_MS)) return 0;
  return Math.min(MOST_CLASS, Math.round(CLASSES_PER_DOUBLING * Math.log2(ms / LOWEST_MS)));
}

/** The middle of a class. */
export function classMs(number: number): number {
  return LOWEST_MS * 2 ** (number / CLASSES_PER_DOUBLING);
}
