/** What thresholds can ask about: each metric's unit and the labels that narrow it. */

export type Label = 'stage' | 'profile' | 'operation' | 'replica' | 'category';
export type MetricUnit = 'time' | 'perSecond' | 'ratio' | 'cores' | 'count' | 'bytes';

export interface Metric {
  readonly unit: MetricUnit;
  readonly labels: readonly Label[];
  readonly help: string;
}

export const statistics = ['p50', 'p90', 'p95', 'p99', 'p999', 'max', 'mean'] as const;

const byOperation = ['stage', 'profile', 'operation'] as const;

/** Measured in histograms: only with one of `statistics` after a dot. */
export const distributions: Readonly<Record<string, Metric>> = {
  latency: { unit: 'time', labels: [...byOperation, 'replica'], help: 'correct answers, from when they were due' },
  service: { unit: 'time', labels: byOperation, help: 'correct answers, from when they were sent' },
  delivery: {
    unit: 'time',
    labels: ['stage', 'profile'],
    help: 'from when a publication with a stamp was due to when a subscriber read of it; by the stage and profile of the subscriber',
  },
  catchUp: {
    unit: 'time',
    labels: ['stage', 'profile'],
    help: 'from when consumers that were away came back to when they had heard all they missed; no data while one of them has not',
  },
  connect: { unit: 'time', labels: ['stage', 'profile'], help: 'TCP, TLS and MCP handshake' },
};

/** Single numbers: never with a statistic. */
export const scalars: Readonly<Record<string, Metric>> = {
  throughput: { unit: 'perSecond', labels: byOperation, help: 'successful operations a second' },
  offered: { unit: 'perSecond', labels: byOperation, help: 'operations due a second' },
  delivered: { unit: 'ratio', labels: byOperation, help: 'sent / offered' },
  'errors.rate': {
    unit: 'ratio',
    labels: [...byOperation, 'category', 'replica'],
    help: 'failed and lost operations / all that ended, without what was our own doing; with a category, that one alone; with a replica, what that one answered',
  },
  'errors.count': {
    unit: 'count',
    labels: [...byOperation, 'category', 'replica'],
    help: 'failed and lost operations, without what was our own doing; with a category, that one alone; with a replica, what that one answered',
  },
  'delivery.count': {
    unit: 'count',
    labels: ['stage', 'profile'],
    help: 'publications with a stamp that subscribers heard of, each counted once a subscriber',
  },
  'delivery.lost': {
    unit: 'count',
    labels: [],
    help: 'of what was published after a subscriber first heard of a publisher: not delivered to it; of the whole run, known when it is over',
  },
  'delivery.duplicated': {
    unit: 'count',
    labels: ['stage', 'profile'],
    help: 'publications a subscriber heard of again',
  },
  'delivery.outOfOrder': {
    unit: 'count',
    labels: ['stage', 'profile'],
    help: 'publications heard of after a later one of the same publisher',
  },
  'streams.lost': {
    unit: 'count',
    labels: ['stage', 'profile'],
    help: 'streams that broke; those the server ended in good order are not among them',
  },
  'sessions.lost': { unit: 'count', labels: ['stage', 'profile'], help: 'sessions the server forgot or broke' },
  'sessions.answered': {
    unit: 'ratio',
    labels: ['stage'],
    help: 'sessions with a correct answer in a stage / most sessions at once in it; of several stages the least',
  },
  'sessions.peak': { unit: 'count', labels: ['stage'], help: 'most sessions at once' },
  'affinity.moved': {
    unit: 'count',
    labels: ['stage', 'profile', 'replica'],
    help: 'sessions with an answer from another replica than the one before, once in each stage; with a replica, those that moved to it',
  },
  'fault.recovery': {
    unit: 'time',
    labels: [],
    help: 'from a fault, or its undo, until throughput stays at 95 % of what it was before; the slowest of all',
  },
  'memory.perSession': {
    unit: 'bytes',
    labels: ['stage', 'replica'],
    help: 'memory of the target a session that is open: slope over the usage samples; no data where its 95 % interval holds the limit',
  },
  'memory.leftPerSession': {
    unit: 'bytes',
    labels: ['stage', 'replica'],
    help: 'the same a session that was ever opened: what each leaves behind',
  },
  'usage.cpu': {
    unit: 'cores',
    labels: ['stage', 'replica'],
    help: 'mean CPU of the busiest replica, of one core; only of servers that swarmbench starts',
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

/** The metric of that name, or why there is none and which fit. */
export function findMetric(
  name: string,
  suggest: (word: string, known: readonly string[], what: string) => string,
): FoundMetric {
  const scalar = scalars[name];
  if (scalar !== undefined) return { ok: true, metric: scalar };
  const dot = name.lastIndexOf('.');
  const [family, last] = dot === -1 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)];
  const distribution = distributions[family];
  if (distribution !== undefined && statistics.some((statistic) => statistic === last))
    return { ok: true, metric: distribution };
  if (distribution !== undefined) {
    const message =
      last === ''
        ? `\`${name}\` is a distribution: say which value of it`
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
  const values = Object.keys(distributions).flatMap((family) =>
    statistics.map((statistic) => `${family}.${statistic}`),
  );
  return [...values, ...Object.keys(scalars)];
}
