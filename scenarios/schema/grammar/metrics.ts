/** The metrics that thresholds can check: the unit of each, and the labels that narrow it. */
import { suggest } from '../../yaml/nearest.js';

export type Label = 'stage' | 'profile' | 'operation' | 'arm' | 'replica' | 'category' | 'phase' | 'fault';

/** Of operations by when they were due: up to 10 s before a fault, while it lasted, up to 60 s after its undo. */
export const phaseNames = ['before', 'fault', 'recovery'] as const;
export type MetricUnit = 'time' | 'perSecond' | 'ratio' | 'cores' | 'count' | 'bytes';

export interface Metric {
  readonly unit: MetricUnit;
  readonly labels: readonly Label[];
  readonly help: string;
}

export const statistics = ['p50', 'p90', 'p95', 'p99', 'p999', 'max', 'mean'] as const;

const byOperation = ['stage', 'profile', 'operation', 'arm'] as const;
const byProfile = ['stage', 'profile', 'arm'] as const;
/** Without one of these two, a fault makes no difference. */
const byFault = ['phase', 'fault'] as const;
const withoutOurs =
  'without those that swarmbench caused itself; with a category: that category only; ' +
  'with a replica: the answers of that replica only';

/** Measured in histograms. They stand only with one of `statistics` after a dot. */
export const distributions: Readonly<Record<string, Metric>> = {
  latency: {
    unit: 'time',
    labels: [...byOperation, 'replica', ...byFault],
    help: 'time of correct answers, from when the operation was due',
  },
  service: { unit: 'time', labels: byOperation, help: 'time of correct answers, from when the operation was sent' },
  delivery: {
    unit: 'time',
    labels: byProfile,
    help:
      'time from when a publication with a stamp was due to when a subscriber received it; ' +
      'the labels are those of the subscriber',
  },
  catchUp: {
    unit: 'time',
    labels: byProfile,
    help:
      'time from when a consumer that was away came back to when it had received all that it missed; ' +
      'no data while one of them has not',
  },
  connect: {
    unit: 'time',
    labels: byProfile,
    help: 'time of the TCP, TLS and MCP handshakes together; of the whole run, unless a stage is named',
  },
};

/** Single numbers. They have no statistic. */
export const scalars: Readonly<Record<string, Metric>> = {
  throughput: { unit: 'perSecond', labels: [...byOperation, ...byFault], help: 'successful operations a second' },
  offered: { unit: 'perSecond', labels: byOperation, help: 'operations due a second' },
  delivered: { unit: 'ratio', labels: byOperation, help: 'operations sent / operations due' },
  'errors.rate': {
    unit: 'ratio',
    labels: [...byOperation, 'category', 'replica', ...byFault],
    help: `failed and lost operations / all that ended, ${withoutOurs}`,
  },
  'errors.count': {
    unit: 'count',
    labels: [...byOperation, 'category', 'replica', ...byFault],
    help: `failed and lost operations, ${withoutOurs}`,
  },
  'delivery.count': {
    unit: 'count',
    labels: byProfile,
    help: 'publications with a stamp that subscribers received, counted once for each subscriber',
  },
  'delivery.lost': {
    unit: 'count',
    labels: [],
    help:
      'publications that a subscriber did not receive, counted from the first that it received of that publisher; ' +
      'of the whole run, and known only at its end',
  },
  'delivery.duplicated': { unit: 'count', labels: byProfile, help: 'publications that a subscriber received again' },
  'delivery.outOfOrder': {
    unit: 'count',
    labels: byProfile,
    help: 'publications received after a later one of the same publisher',
  },
  'streams.lost': {
    unit: 'count',
    labels: byProfile,
    help: 'streams that broke, without those that the server ended in good order',
  },
  'sessions.lost': { unit: 'count', labels: byProfile, help: 'sessions that the server forgot or broke' },
  'sessions.answered': {
    unit: 'ratio',
    labels: ['stage'],
    help: 'sessions with a correct answer in a stage / most sessions at once in it; of several stages the lowest',
  },
  'sessions.peak': { unit: 'count', labels: ['stage'], help: 'most sessions at once' },
  'affinity.moved': {
    unit: 'count',
    labels: [...byProfile, 'replica'],
    help:
      'sessions that were answered by another replica than before, counted once in each stage; ' +
      'with a replica: those that moved to it',
  },
  'fault.detection': {
    unit: 'time',
    labels: ['fault'],
    help:
      'time from the first effect of a fault that a client saw until the gateway had taken the replica out; of ' +
      'several the slowest',
  },
  'fault.recovery': {
    unit: 'time',
    labels: ['fault'],
    help:
      'time until the objective holds again for 3 s: throughput at least 95 % of before, p95 at most 1.5 times, ' +
      'errors at most 1 point above. From the fault if that happens while it lasts, and from its undo; of several ' +
      'the slowest',
  },
  'fault.unavailability': {
    unit: 'time',
    labels: ['fault'],
    help:
      'integral of 1 - good / offered over time from a fault to its recovery, beyond what it was before; of several ' +
      'the longest',
  },
  'memory.perSession': {
    unit: 'bytes',
    labels: ['stage', 'replica'],
    help:
      'memory of the target for each open session: the slope over the usage samples; ' +
      'no data where its 95 % interval holds the limit',
  },
  'memory.leftPerSession': {
    unit: 'bytes',
    labels: ['stage', 'replica'],
    help: 'the same for each session that was ever opened: what a session leaves behind',
  },
  'usage.cpu': {
    unit: 'cores',
    labels: ['stage', 'replica'],
    help: 'mean CPU of the busiest replica, as a share of one core; only of servers that swarmbench starts',
  },
  'usage.memory': {
    unit: 'bytes',
    labels: ['stage', 'replica'],
    help: 'most memory of the largest replica; only of servers that swarmbench starts',
  },
};

type FoundMetric =
  | { readonly ok: true; readonly metric: Metric }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** The metric of that name, or why there is none and which ones fit. */
export function findMetric(name: string): FoundMetric {
  const scalar = scalars[name];
  if (scalar !== undefined) return { ok: true, metric: scalar };
  const dot = name.lastIndexOf('.');
  const [family, last] = dot === -1 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)];
  const distribution = distributions[family];
  if (distribution !== undefined) {
    if (statistics.some((statistic) => statistic === last)) return { ok: true, metric: distribution };
    const message =
      last === ''
        ? `\`${name}\` is a distribution: choose a statistic of it`
        : `\`${name}\`: there is no statistic \`${last}\``;
    return { ok: false, message, hint: `one of ${statistics.map((statistic) => `${family}.${statistic}`).join(', ')}` };
  }
  if (scalars[family] !== undefined && /^(p\d+|max|min|mean|avg|median)$/.test(last)) {
    return {
      ok: false,
      message: `\`${family}\` is a single number: it has no ${last}`,
      hint: `write ${family}, or a distribution: ${Object.keys(distributions).join(', ')}`,
    };
  }
  return { ok: false, message: `unknown metric \`${name}\``, hint: suggest(name, metricNames(), 'metrics') };
}

export function metricNames(): readonly string[] {
  const families = Object.keys(distributions);
  const withStatistic = families.flatMap((family) => statistics.map((statistic) => `${family}.${statistic}`));
  return [...withStatistic, ...Object.keys(scalars)];
}
