/** The value types that scenario and profile files share. Text becomes a number in its base unit. */
import { z } from 'zod';
import {
  explain,
  parseDuration,
  parsePercentage,
  parseRate,
  parseSize,
  parseSizeRate,
  patterns,
  type Quantity,
} from '../grammar/units.js';

export const duration = quantity('duration', parseDuration);
export const positiveDuration = duration.refine((ms) => ms > 0, { error: 'must be longer than 0' });
export const rate = quantity('rate', parseRate).refine((perSecond) => perSecond > 0, { error: 'must be more than 0' });
export const size = quantity('size', parseSize).refine((bytes) => bytes > 0, { error: 'must be more than 0' });
export const sizeRate = quantity('sizeRate', parseSizeRate).refine((bytes) => bytes > 0, {
  error: 'must be more than 0',
});
export const percentage = quantity('percentage', parsePercentage);

/** The service of a stack that the load goes to: the reference server, or an image in its place. */
export const TARGET_SERVICE = 'mcp-server';

/** The most replicas of a service: as many as the gateway has servers for. */
export const MAX_REPLICAS = 64;

/** The most servers that are started behind a gateway. */
export const MOST_UPSTREAMS = 500;

/**
 * The most workloads, stages, thresholds or faults of a scenario, and overrides of a command line. Some checks compare
 * each with each, and nobody reads more.
 */
export const MOST_PARTS = 1000;

/** Names are used in `--set` paths, labels and file names. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, {
  error: 'a name has letters, digits, "-" and "_", and starts with a letter or a digit',
});

export const text = z.string().min(1, { error: 'must not be empty' });

export function wholeNumber(min: number, max: number) {
  return z.int().min(min).max(max);
}

function quantity(kind: Quantity, parse: (text: string) => number | undefined) {
  const error = (issue: { readonly input?: unknown }) => explain(kind, issue.input);
  return z
    .string({ error })
    .regex(patterns[kind], { error })
    .transform((written, context) => {
      const value = parse(written);
      if (value !== undefined) return value;
      context.addIssue(explain(kind, written));
      return z.NEVER;
    });
}
