/** `capacity.json`, the result of a capacity search. Rates are per second, latencies in milliseconds. */
import { z } from 'zod';
import { kneeOf } from '../../analysis/capacity/knee.js';
import type { Found, ProbeOutcome } from '../../analysis/capacity/search.js';
import { fitUsl, type LoadPoint, peakInterval } from '../../analysis/capacity/usl.js';
import type { Report } from '../schema.js';

const rate = z.number().min(0);

const probeRecord = z.strictObject({
  runId: z.string(),
  purpose: z.enum(['step', 'bisect', 'confirm']),
  outcome: z.enum(['met', 'unmet', 'generator']),
  reasons: z.array(z.string()),
  askedPerSecond: rate,
  offeredPerSecond: rate,
  deliveredPerSecond: rate,
  /** Succeeded. */
  throughputPerSecond: rate,
  errorRate: z.number(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  serviceMeanMs: z.number().nullable(),
});
export type ProbeRecord = z.infer<typeof probeRecord>;

export const capacityDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string(),
  scenario: z.string(),
  version: z.string(),
  command: z.string(),
  seed: z.number(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** The checks that a rate had to meet. */
  thresholds: z.array(z.string()),
  precision: z.number(),
  confirmations: z.number(),
  /** Capacity lies in [met, unmet). */
  capacity: z.strictObject({
    metPerSecond: rate.nullable(),
    unmetPerSecond: rate.nullable(),
    end: z.enum(['converged', 'most', 'generator', 'probes', 'nothing-met', 'interrupted']),
    words: z.string(),
  }),
  /** Offered rate from which the 99th percentile rises steeply; null where the curve shows none. */
  kneePerSecond: rate.nullable(),
  /**
   * The Universal Scalability Law fitted to throughput against concurrency (throughput times mean service time); null
   * with too few points, or where the law does not fit them.
   */
  scalability: z
    .strictObject({
      lambda: z.number(),
      sigma: z.number(),
      kappa: z.number(),
      rSquared: z.number(),
      peak: z
        .strictObject({
          concurrency: z.number(),
          throughputPerSecond: rate,
          low: rate.nullable(),
          high: rate.nullable(),
        })
        .nullable(),
    })
    .nullable(),
  probes: z.array(probeRecord),
});
export type CapacityDocument = z.infer<typeof capacityDocument>;

export function probeRecordOf(
  report: Report,
  ratePerSecond: number,
  purpose: ProbeRecord['purpose'],
  outcome: ProbeOutcome,
): ProbeRecord {
  const { run, summary, verdict } = report;
  return {
    runId: run.id,
    purpose,
    outcome,
    reasons: [...verdict.reasons],
    askedPerSecond: ratePerSecond,
    offeredPerSecond: summary.offeredPerSecond ?? 0,
    deliveredPerSecond: (summary.offeredPerSecond ?? 0) * (summary.deliveredRatio ?? 0),
    throughputPerSecond: summary.throughputPerSecond ?? 0,
    errorRate: summary.errorRate ?? 0,
    p50Ms: summary.latencyMs.p50,
    p99Ms: summary.latencyMs.p99,
    serviceMeanMs: summary.serviceMs.mean,
  };
}

/** The part of the document that follows from the probes. */
export function conclude(
  probes: readonly ProbeRecord[],
  found: Found | 'interrupted',
  seed: number,
): Pick<CapacityDocument, 'capacity' | 'kneePerSecond' | 'scalability' | 'probes'> {
  const trusted = probes.filter(({ outcome }) => outcome !== 'generator');
  const knee = kneeOf(
    trusted.flatMap(({ offeredPerSecond, p99Ms }) => (p99Ms === null ? [] : [{ x: offeredPerSecond, y: p99Ms }])),
  );
  const points: LoadPoint[] = trusted.flatMap(({ throughputPerSecond, serviceMeanMs }) =>
    serviceMeanMs === null ? [] : [{ throughputPerSecond, concurrency: (throughputPerSecond * serviceMeanMs) / 1000 }],
  );
  return {
    capacity: capacityOf(probes, found),
    kneePerSecond: knee ?? null,
    scalability: scalabilityOf(points, seed),
    probes: [...probes],
  };
}

function capacityOf(probes: readonly ProbeRecord[], found: Found | 'interrupted'): CapacityDocument['capacity'] {
  if (found === 'interrupted')
    return {
      metPerSecond: null,
      unmetPerSecond: null,
      end: 'interrupted',
      words: `Interrupted after ${probes.length} runs: the capacity is not known.`,
    };
  const { metPerSecond = null, unmetPerSecond = null, end } = found;
  return {
    metPerSecond,
    unmetPerSecond,
    end,
    words: CONCLUSIONS[end](rateText(metPerSecond), rateText(unmetPerSecond)),
  };
}

const CONCLUSIONS: Readonly<Record<Found['end'], (met: string, unmet: string) => string>> = {
  converged: (met, unmet) => `Between ${met} (met, confirmed) and ${unmet} (not met).`,
  most: (met) =>
    `At least ${met}: the highest rate that the limits allow was met. Raise limits.rate or --most to search higher.`,
  generator: (met) =>
    `At least ${met}. At higher rates the generator, not the target, was at its limit: ` +
    'add workers (--workers N) or give it a machine of its own.',
  probes: (met, unmet) =>
    `Not narrowed down: ${met} was met and ${unmet} was not when the runs were used up (--probes).`,
  'nothing-met': (_met, unmet) =>
    `Below ${unmet}: no rate that was tried met the thresholds. ` +
    'Look at the report of the lowest one, or begin lower (--from).',
};

function rateText(value: number | null): string {
  return value === null ? 'no rate' : `${value.toLocaleString('en-US')}/s`;
}

/** A curve that explains less than this share of the variation says nothing about the target. */
const LEAST_FIT = 0.5;

function scalabilityOf(points: readonly LoadPoint[], seed: number): CapacityDocument['scalability'] {
  const fit = fitUsl(points);
  if (fit === undefined || fit.rSquared < LEAST_FIT) return null;
  const { lambda, sigma, kappa, rSquared, peak } = fit;
  const interval = peak === undefined ? undefined : peakInterval(points, seed);
  return {
    lambda,
    sigma,
    kappa,
    rSquared,
    peak: peak === undefined ? null : { ...peak, low: interval?.low ?? null, high: interval?.high ?? null },
  };
}
