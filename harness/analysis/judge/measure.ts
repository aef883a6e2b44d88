import { isByUs } from '../../../client-sim/protocol/misbehaviour-key.js';
import type { StreamCounts } from '../../../client-sim/protocol/streams.js';
import type { Check, Plan } from '../../../scenarios/schema/plan.js';
import { type TargetErrors, targetErrors } from '../facts/target-errors.js';
import { formatBytes } from '../format.js';
import type { Aggregate, Measured, ReplicaTotals, Second, Selection, TimeWindow, Totals } from '../merge/contract.js';
import type { HdrCounts } from '../merge/hdr-counts.js';
import type { SeriesStore } from '../merge/series-store.js';
import { affinityOf, replicaOf } from '../statistics/affinity.js';
import { type Recovery, recoveriesOf } from '../statistics/fault-recovery.js';
import { type Statistic, statisticOf, statistics } from '../statistics/latency-summary.js';
import { type Against, type SessionMemory, sessionMemory } from '../statistics/session-memory.js';

/** The value of every metric a check can name (design: scenario, "Thresholds"), or in words what is missing. */

interface MeasureContext {
  readonly plan: Plan;
  readonly aggregate: Aggregate;
  /** Of the whole run, or of the window alone. */
  readonly store: SeriesStore;
  readonly window: TimeWindow | undefined;
}

type Label = keyof Check['labels'];
interface Metric {
  readonly labels: readonly Label[];
  readonly value: (question: Question) => Measured;
}

export function measure(check: Check, context: MeasureContext): Measured {
  const metric = metrics[check.metric];
  if (metric === undefined) return noData(`${check.metric} is not something this version measures`);
  for (const label of Object.keys(check.labels) as Label[]) {
    if (!metric.labels.includes(label)) return noData(`${check.metric} is not kept by ${label}`);
  }
  const stages = stagesOf(check, context);
  if (stages.length === 0) {
    return noData(
      check.labels.stage === undefined
        ? 'the scenario has no measured stage'
        : `there is no stage ${check.labels.stage}`,
    );
  }
  return metric.value(new Question(check, context, stages));
}

/** A window is about now, whatever stage that is; otherwise the measured stages count, or the one that is named. */
function stagesOf(check: Check, { plan, window }: MeasureContext): readonly number[] {
  return plan.stages
    .filter((stage) =>
      check.labels.stage === undefined ? window !== undefined || stage.measured : stage.name === check.labels.stage,
    )
    .map((stage) => stage.index);
}

/** One check put to one run: what it selects, looked up when asked for. */
class Question {
  constructor(
    readonly check: Check,
    private readonly context: MeasureContext,
    private readonly stages: readonly number[],
  ) {}

  /** Of all stages. */
  get wholeRun(): Totals {
    const { aggregate, plan } = this.context;
    return aggregate.select({ stages: plan.stages.map(({ index }) => index) });
  }

  get aggregate(): Aggregate {
    return this.context.aggregate;
  }

  get totals(): Totals {
    const { profile, operation } = this.check.labels;
    const selection: Selection = {
      stages: this.stages,
      ...(profile === undefined ? {} : { profile }),
      ...(operation === undefined ? {} : { operation }),
    };
    return this.context.store.select(selection);
  }

  /** The same question put to each of its stages. */
  get byStage(): readonly Question[] {
    return this.stages.map((stage) => new Question(this.check, this.context, [stage]));
  }

  /** Of what is selected, the part of the replica that the check names. */
  get replica(): ReplicaTotals | undefined {
    return replicaOf(this.totals, this.check.labels.replica ?? '');
  }

  /** Observed time of what is selected. */
  get seconds(): number {
    const { aggregate, window } = this.context;
    if (window === undefined) return this.stages.reduce((sum, stage) => sum + aggregate.observedMs(stage), 0) / 1000;
    return Math.max(0, Math.min(window.toMs, aggregate.lastMs) - Math.max(0, window.fromMs)) / 1000;
  }

  /** Of the timeline, the seconds that lie in the selected stages (and window). */
  get timeline(): readonly Second[] {
    const spans = this.spans();
    return this.context.aggregate
      .timeline()
      .filter(
        (second) =>
          second.workers > 0 &&
          spans.some(([fromMs, toMs]) => second.t * 1000 < toMs && (second.t + 1) * 1000 > fromMs),
      );
  }

  /** Of every fault that began, and of its undo where the load went on after it. */
  get recoveries(): readonly Recovery[] {
    const { plan, aggregate } = this.context;
    const faults = aggregate.faults();
    return faults.flatMap((fault) => {
      const { injected, undone } = recoveriesOf(plan, aggregate.timeline(), aggregate.lastMs, faults, fault);
      return fault.ended === 'time' ? [injected, undone] : [injected];
    });
  }

  sessionMemory(against: Against): SessionMemory {
    const { plan, aggregate } = this.context;
    return sessionMemory(plan, aggregate, this.stages, against, this.check.labels.replica);
  }

  get usage(): readonly {
    readonly id: string;
    readonly points: readonly { readonly cpu: number; readonly memoryBytes: number }[];
  }[] {
    const spans = this.spans();
    const inside = (atMs: number): boolean => spans.some(([fromMs, toMs]) => atMs > fromMs && atMs <= toMs);
    return this.context.aggregate
      .usage()
      .filter(({ id, role }) => role === 'target' && (this.check.labels.replica ?? id) === id)
      .map(({ id, points }) => ({ id, points: points.filter(({ atMs }) => inside(atMs)) }))
      .filter(({ points }) => points.length > 0);
  }

  private spans(): readonly (readonly [fromMs: number, toMs: number])[] {
    const { plan, window } = this.context;
    return plan.stages
      .filter((stage) => this.stages.includes(stage.index))
      .map(
        (stage) =>
          [
            Math.max(stage.startMs, window?.fromMs ?? 0),
            Math.min(stage.startMs + stage.durationMs, window?.toMs ?? Infinity),
          ] as const,
      );
  }
}

function noData(why: string): Measured {
  return { kind: 'no-data', why };
}
function value(measured: number, samples: number): Measured {
  return { kind: 'value', value: measured, samples };
}

const byOperation: readonly Label[] = ['stage', 'profile', 'operation'];
const byProfile: readonly Label[] = ['stage', 'profile'];

function ofReplica(
  labels: readonly Label[],
  whole: Metric['value'],
  part: (replica: ReplicaTotals) => Measured,
): Metric {
  return {
    labels: [...labels, 'replica'],
    value: (question) => {
      const { replica: name, operation, category } = question.check.labels;
      if (name === undefined) return whole(question);
      if (operation !== undefined || category !== undefined)
        return noData('what a replica did is not kept by operation or category');
      const { replica } = question;
      return replica === undefined ? noData(`no answer came from a replica ${name}`) : part(replica);
    },
  };
}

function latency(of: (totals: Totals) => HdrCounts, what: string) {
  return (statistic: Statistic): Metric['value'] =>
    ({ totals }) => {
      const counts = of(totals);
      const measured = statisticOf(counts, statistic);
      return measured === undefined ? noData(`no ${what} was recorded`) : value(measured, counts.total);
    };
}

/** `name.p95` and its siblings. */
function family(
  name: string,
  labels: readonly Label[],
  of: (statistic: Statistic) => Metric['value'],
): Readonly<Record<string, Metric>> {
  return Object.fromEntries(statistics.map((statistic) => [`${name}.${statistic}`, { labels, value: of(statistic) }]));
}

/**
 * Operations that came to an end, and of them those that failed: as a target's errors, or of one category, whatever it
 * is.
 */
function errorsOf({ counts, errors }: Totals, category: string | undefined): TargetErrors {
  const target = targetErrors(counts, errors);
  if (category === undefined) return target;
  if (isByUs(category))
    return { ended: counts.succeeded + counts.failed + counts.lost, failed: errors.get(category) ?? 0 };
  return { ended: target.ended, failed: category === 'lost' ? counts.lost : (errors.get(category) ?? 0) };
}

function perSecond(count: (totals: Totals) => number): Metric['value'] {
  return ({ totals, seconds }) => {
    if (totals.counts.offered === 0) return noData('no operation was due');
    return seconds > 0 ? value(count(totals) / seconds, count(totals)) : noData('no time was measured');
  };
}

function errors(of: (found: TargetErrors) => number): Metric['value'] {
  return ({ totals, check }) => {
    const found = errorsOf(totals, check.labels.category);
    return found.ended === 0 ? noData('no operation ended') : value(of(found), found.ended);
  };
}

/**
 * A value only where the whole interval lies on one side of what it is held against: else the fit is too poor to judge
 * by.
 */
function perSession(against: Against): Metric['value'] {
  return (question) => {
    const found = question.sessionMemory(against);
    if (found.kind === 'none') return noData(found.why);
    const { slope, low, high } = found.bytes;
    const { value: limit } = question.check;
    if (low > limit || high < limit) return value(slope, found.samples);
    return noData(
      `between ${formatBytes(low)} and ${formatBytes(high)} a session (95 %, ${found.samples} samples): too uncertain to hold against ${formatBytes(limit)}`,
    );
  };
}

const metrics: Readonly<Record<string, Metric>> = {
  ...Object.fromEntries(
    statistics.map((statistic) => [
      `latency.${statistic}`,
      ofReplica(
        byOperation,
        latency((totals) => totals.histograms.latency, 'successful operation')(statistic),
        (replica) => {
          const measured = statisticOf(replica.latency, statistic);
          return measured === undefined
            ? noData('no successful operation was recorded')
            : value(measured, replica.latency.total);
        },
      ),
    ]),
  ),
  ...family(
    'service',
    byOperation,
    latency((totals) => totals.histograms.service, 'successful operation'),
  ),
  ...family(
    'connect',
    ['stage', 'profile'],
    latency((totals) => totals.connect, 'connection'),
  ),
  ...family(
    'delivery',
    byProfile,
    (statistic) =>
      ({ totals }) =>
        deliveryTime(totals, statistic),
  ),
  ...family(
    'catchUp',
    byProfile,
    (statistic) =>
      ({ totals }) =>
        catchUpTime(totals, statistic),
  ),
  'delivery.count': { labels: byProfile, value: ({ totals }) => deliveryCount(totals, 'delivered') },
  'delivery.duplicated': { labels: byProfile, value: ({ totals }) => deliveryCount(totals, 'duplicated') },
  'delivery.outOfOrder': { labels: byProfile, value: ({ totals }) => deliveryCount(totals, 'outOfOrder') },
  'delivery.lost': { labels: [], value: ({ aggregate }) => lostDeliveries(aggregate) },
  'streams.lost': { labels: byProfile, value: ({ totals, wholeRun }) => streamCount(totals, wholeRun, 'lost') },
  throughput: { labels: byOperation, value: perSecond(({ counts }) => counts.succeeded) },
  offered: { labels: byOperation, value: perSecond(({ counts }) => counts.offered) },
  delivered: {
    labels: byOperation,
    value: ({ totals: { counts } }) =>
      counts.offered === 0 ? noData('no operation was due') : value(counts.sent / counts.offered, counts.offered),
  },
  'errors.rate': ofReplica(
    [...byOperation, 'category'],
    errors(({ failed, ended }) => failed / ended),
    ({ counts: { succeeded, failed } }) =>
      succeeded + failed === 0
        ? noData('it ended no operation')
        : value(failed / (succeeded + failed), succeeded + failed),
  ),
  'errors.count': ofReplica(
    [...byOperation, 'category'],
    errors(({ failed }) => failed),
    ({ counts: { succeeded, failed } }) =>
      succeeded + failed === 0 ? noData('it ended no operation') : value(failed, succeeded + failed),
  ),
  'sessions.lost': {
    labels: ['stage', 'profile'],
    value: ({ totals }) =>
      totals.series === 0
        ? noData('no session was reported')
        : value(totals.sessions.sessionsLost, totals.sessions.sessionsOpened),
  },
  'sessions.peak': {
    labels: ['stage'],
    value: ({ timeline }) =>
      timeline.length === 0 ? noData('no second of it was reported') : value(mostSessions(timeline), timeline.length),
  },
  'sessions.answered': {
    labels: ['stage'],
    value: ({ byStage }) => {
      const shares = byStage.flatMap(({ totals, timeline }) => {
        const most = mostSessions(timeline);
        return most === 0 ? [] : [totals.sessions.sessionsAnswered / most];
      });
      return shares.length === 0 ? noData('there was no session') : value(Math.min(...shares), shares.length);
    },
  },
  /** Of one core, mean over time, of the busiest replica. */
  'usage.cpu': { labels: ['stage', 'replica'], value: ({ usage }) => ofReplicas(usage, ({ cpu }) => cpu, mean) },
  /** Peak, of the largest replica. */
  'usage.memory': {
    labels: ['stage', 'replica'],
    value: ({ usage }) => ofReplicas(usage, ({ memoryBytes }) => memoryBytes, peak),
  },
  'affinity.moved': ofReplica(
    ['stage', 'profile'],
    ({ totals }) => {
      const affinity = affinityOf(totals);
      return affinity === undefined
        ? noData('no answer named its replica')
        : value(affinity.counts.moved, affinity.counts.sessions);
    },
    ({ counts }) => value(counts.moved, counts.sessions),
  ),
  'fault.recovery': { labels: [], value: ({ recoveries }) => slowest(recoveries) },
  /** Slope against the sessions that clients hold. */
  'memory.perSession': { labels: ['stage', 'replica'], value: perSession('open') },
  /** Slope against all sessions opened so far: what each leaves behind. */
  'memory.leftPerSession': { labels: ['stage', 'replica'], value: perSession('opened') },
};

function mostSessions(timeline: readonly Second[]): number {
  return peak(timeline.map(({ sessions }) => sessions));
}

/** All of them must be known: one that never ended would otherwise be the one that does not count. */
function slowest(recoveries: readonly Recovery[]): Measured {
  if (recoveries.length === 0) return noData('no fault was made');
  const missing = recoveries.find((recovery) => recovery.kind === 'unknown');
  if (missing?.kind === 'unknown') return noData(missing.why);
  const known = recoveries.flatMap((recovery) => (recovery.kind === 'recovered' ? [recovery] : []));
  return value(
    peak(known.map(({ seconds }) => seconds * 1000)),
    known.reduce((sum, { samples }) => sum + samples, 0),
  );
}

function ofReplicas<T>(
  usage: readonly { readonly points: readonly T[] }[],
  read: (point: T) => number,
  of: (values: readonly number[]) => number,
): Measured {
  return usage.length === 0
    ? noData('no resource use of the target was reported (it is known only for targets that this run started)')
    : value(
        peak(usage.map(({ points }) => of(points.map(read)))),
        usage.reduce((sum, { points }) => sum + points.length, 0),
      );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}
function peak(values: readonly number[]): number {
  return values.reduce((most, one) => Math.max(most, one), 0);
}

/** What thresholds can ask about streams and deliveries. */

/**
 * The clocks of publisher and subscriber may be apart by no more than this share of a value that is given (design:
 * measurement 9).
 */
const mostClockError = 0.1;

/** Whether a delivery time is known well enough to be given. */
export function isCertain(ms: number, clockErrorMs: number): boolean {
  return clockErrorMs <= ms * mostClockError;
}

function deliveryTime({ delivery, clockErrorMs }: Totals, statistic: Statistic): Measured {
  const measured = statisticOf(delivery, statistic);
  if (measured === undefined) return noStreamData('no subscriber heard of a stamped publication');
  if (isCertain(measured, clockErrorMs)) return { kind: 'value', value: measured, samples: delivery.total };
  return noStreamData(
    `the clocks of publishers and subscribers may be ${clockErrorMs} ms apart, more than a tenth of the ${measured} ms measured`,
  );
}

/** A subscriber that never caught up has no time, but it is not nothing. */
function catchUpTime({ catchUp, streams }: Totals, statistic: Statistic): Measured {
  const measured = statisticOf(catchUp, statistic);
  if (streams.returned === 0) return noStreamData('no subscriber was away and came back');
  if (measured === undefined || catchUp.total < streams.returned)
    return noStreamData(`${streams.returned - catchUp.total} of ${streams.returned} subscribers had not caught up`);
  return { kind: 'value', value: measured, samples: catchUp.total };
}

/** Known when all is over: until then what is on its way looks lost. */
function lostDeliveries(aggregate: Aggregate): Measured {
  const deliveries = aggregate.deliveries();
  if (deliveries === undefined || deliveries.published === 0) return noStreamData('nothing was published with a stamp');
  if (deliveries.delivered === 0)
    return noStreamData(`none of ${deliveries.published} publications was delivered to anyone`);
  if ([...aggregate.workers().values()].some(({ final }) => final === undefined))
    return noStreamData('what was lost is known when all workers have finished');
  return { kind: 'value', value: deliveries.lost, samples: deliveries.expected };
}

function deliveryCount({ streams }: Totals, name: 'duplicated' | 'outOfOrder' | 'delivered'): Measured {
  return streams.delivered === 0
    ? noStreamData('no subscriber heard of a stamped publication')
    : { kind: 'value', value: streams[name], samples: streams.delivered };
}

/** @param wholeRun of the whole run: streams opened in one stage live on in the next */
function streamCount({ streams }: Totals, wholeRun: Totals, name: keyof StreamCounts): Measured {
  const opened = wholeRun.streams.opened + wholeRun.streams.resumed;
  return opened === 0
    ? noStreamData('no stream was ever open')
    : { kind: 'value', value: streams[name], samples: opened };
}

function noStreamData(why: string): Measured {
  return { kind: 'no-data', why };
}
