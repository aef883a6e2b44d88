import { isByUs } from '../../../client-sim/protocol/misbehaviour-key.js';
import type { StreamCounts } from '../../../client-sim/protocol/streams.js';
import type { Check, Plan } from '../../../scenarios/schema/plan.js';
import type { FaultRecord } from '../facts/fault-records.js';
import { allStages, isWithin, type Span, spansOf } from '../facts/stages.js';
import { type TargetErrors, targetErrors } from '../facts/target-errors.js';
import { formatBytes } from '../format.js';
import { type Aggregate, observedSeconds, type TimeWindow } from '../merge/aggregate.js';
import type { HdrCounts } from '../merge/hdr-counts.js';
import type { Outcome } from '../merge/outcome-store.js';
import { phaseTotals, type ReplicaTotals, type Selection, type Totals } from '../merge/series-store.js';
import { type Second, secondsWithin } from '../merge/timeline.js';
import { affinityOf } from '../statistics/affinity.js';
import {
  effectsOfAll,
  type FaultEffects,
  HOLDS_FOR_MS,
  isOfPhase,
  type Phase,
  phases,
} from '../statistics/fault-effects.js';
import { type Recovery, recoveriesOf } from '../statistics/fault-recovery.js';
import { intervalOf } from '../statistics/interval.js';
import { type Statistic, statisticOf, statistics } from '../statistics/latency-summary.js';
import { mean, peak } from '../statistics/numbers.js';
import { type SessionBasis, type SessionMemory, sessionMemory } from '../statistics/session-memory.js';

export type Measurement =
  | {
      readonly kind: 'value';
      readonly value: number;
      readonly samples: number;
      /** Of a latency: without what the generator itself added; the truth lies between. Absent: not known. */
      readonly floor?: number;
    }
  /** A check without data never passes. */
  | { readonly kind: 'no-data'; readonly why: string };

/**
 * The value of a check's metric over the measured stages (or the stage its label names), or the reason why there is
 * none.
 * @param window only batches whose `toMs` lies in it, of any stage unless a label names one; percentiles come from the
 *   window's own histograms
 */
export function measure(check: Check, plan: Plan, aggregate: Aggregate, window?: TimeWindow): Measurement {
  const source = window === undefined ? aggregate : aggregate.within(window);
  if (source === undefined) return noData(`histograms of a window from ${window?.fromMs ?? 0} ms are no longer kept`);
  const metric = metrics[check.metric];
  if (metric === undefined) return noData(`this version does not measure ${check.metric}`);
  for (const label of Object.keys(check.labels) as Label[]) {
    if (!metric.labels.includes(label)) return noData(`${check.metric} is not kept by ${label}`);
  }
  const stages = stagesOf(check, plan, window);
  if (stages.length === 0) {
    return noData(
      check.labels.stage === undefined
        ? 'the scenario has no measured stage'
        : `there is no stage ${check.labels.stage}`,
    );
  }
  return metric.value(new CheckInput(check, { plan, aggregate, source, window }, stages));
}

/** A window covers any stage; without one the measured stages count, or the stage that a label names. */
function stagesOf(check: Check, plan: Plan, window: TimeWindow | undefined): readonly number[] {
  return plan.stages
    .filter((stage) =>
      check.labels.stage === undefined ? window !== undefined || stage.measured : stage.name === check.labels.stage,
    )
    .map((stage) => stage.index);
}

/** The profiles of the plan that the labels name; a profile has a copy in each arm. Undefined: all. */
function profilesNamed({ profiles }: Plan, { arm, profile }: Check['labels']): readonly string[] | undefined {
  if (arm === undefined && profile === undefined) return undefined;
  return profiles
    .filter((one) => (arm ?? one.arm) === one.arm)
    .map(({ name, arm: own }) => ({ name, short: own === undefined ? name : name.slice(0, -own.length - 1) }))
    .filter(({ name, short }) => profile === undefined || profile === name || profile === short)
    .map(({ name }) => name);
}

type Label = keyof Check['labels'];
interface Metric {
  readonly labels: readonly Label[];
  readonly value: (input: CheckInput) => Measurement;
}

interface RunData {
  readonly plan: Plan;
  readonly aggregate: Aggregate;
  /** Selects from the whole run, or from the window alone. */
  readonly source: Pick<Aggregate, 'select'>;
  readonly window: TimeWindow | undefined;
}

/** The data of a run that a check selects; each getter looks it up when it is read. */
class CheckInput {
  constructor(
    readonly check: Check,
    private readonly run: RunData,
    private readonly stages: readonly number[],
  ) {}

  /** Of all stages. */
  get wholeRun(): Totals {
    return this.run.aggregate.select({ stages: allStages(this.run.plan) });
  }

  get aggregate(): Aggregate {
    return this.run.aggregate;
  }

  get totals(): Totals {
    if (this.isOfPhases) return phaseTotals(this.outcomes());
    const { operation } = this.check.labels;
    const profiles = profilesNamed(this.run.plan, this.check.labels);
    const selection: Selection = {
      stages: this.stages,
      ...(profiles === undefined ? {} : { profiles }),
      ...(operation === undefined ? {} : { operation }),
    };
    return this.run.source.select(selection);
  }

  /** Most sessions open before anything is measured. So where no stage is named, all of them count. */
  get opened(): Totals {
    const { stage, profile } = this.check.labels;
    if (stage !== undefined || this.run.window !== undefined) return this.totals;
    return this.run.aggregate.select({
      stages: allStages(this.run.plan),
      ...(profile === undefined ? {} : { profile }),
    });
  }

  /** The same check of each of its stages. */
  get byStage(): readonly CheckInput[] {
    return this.stages.map((stage) => new CheckInput(this.check, this.run, [stage]));
  }

  /** The part of the selection that belongs to the replica the check names. */
  get replica(): ReplicaTotals | undefined {
    return this.totals.replicas.find(({ name }) => name === this.check.labels.replica);
  }

  /** Whether only some time around faults counts. */
  private get isOfPhases(): boolean {
    const { phase, fault } = this.check.labels;
    return phase !== undefined || fault !== undefined;
  }

  /** Without a phase, from the fault to the end of its recovery. */
  private get wantedPhases(): readonly Phase[] {
    const { phase } = this.check.labels;
    return phases.filter((one) => (phase === undefined ? one !== 'before' : one === phase));
  }

  /** The phases of each of the faults. */
  private get phaseSpans(): readonly FaultEffects['spans'][] {
    return this.faults.flatMap((fault) => this.effects(fault)?.spans ?? []);
  }

  private outcomes(): readonly Outcome[] {
    const { profile, operation } = this.check.labels;
    const store = this.run.aggregate.outcomes();
    const { wantedPhases, phaseSpans } = this;
    const all = store.select({
      fromBin: 0,
      toBin: Infinity,
      stages: this.stages,
      ...(profile === undefined ? {} : { profile }),
      ...(operation === undefined ? {} : { operation }),
    });
    // Each operation once, also where two faults share some time.
    return all.filter((outcome) =>
      phaseSpans.some((spans) => wantedPhases.some((phase) => isOfPhase(outcome, phase, spans))),
    );
  }

  /** The faults that began and that the check is about. */
  get faults(): readonly FaultRecord[] {
    const { fault: name } = this.check.labels;
    return this.run.aggregate.faults().filter((fault) => (name ?? fault.name) === fault.name);
  }

  effects(fault: FaultRecord): FaultEffects | undefined {
    return effectsOfAll(this.run.plan, this.run.aggregate).get(fault.id);
  }

  /** Observed time of the selection. */
  get seconds(): number {
    const { aggregate, window } = this.run;
    if (this.isOfPhases) {
      const spans = this.phaseSpans.flatMap((one) => this.wantedPhases.map((phase) => one[phase]));
      return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / 1000;
    }
    if (window === undefined) return observedSeconds(aggregate, this.stages);
    return Math.max(0, Math.min(window.toMs, aggregate.lastMs) - Math.max(0, window.fromMs)) / 1000;
  }

  /** The seconds of the timeline that lie in the selected stages and in the window. */
  get timeline(): readonly Second[] {
    return secondsWithin(this.run.aggregate.timeline(), this.spans());
  }

  /** Of every fault that began: from itself where that came while it lasted, and from its undo. */
  get recoveries(): readonly Recovery[] {
    const { plan, aggregate } = this.run;
    return this.faults.flatMap((fault) => {
      const effects = this.effects(fault);
      if (effects === undefined) {
        const { injected, undone } = recoveriesOf(plan, aggregate, fault);
        return fault.ended === 'time' ? [injected, undone] : [injected];
      }
      const { objective, recovered } = effects;
      const lastedMs = (fault.endedMs ?? Infinity) - fault.startedMs;
      // All the time for which it must hold lies within the fault: otherwise it came back with the undo.
      const isBackInTime = objective.kind === 'recovered' && objective.seconds * 1000 + HOLDS_FOR_MS <= lastedMs;
      const whileItLasted = isBackInTime ? [objective] : [];
      return fault.ended === 'time' ? [...whileItLasted, recovered] : [objective];
    });
  }

  sessionMemory(basis: SessionBasis): SessionMemory {
    const { plan, aggregate } = this.run;
    return sessionMemory(plan, aggregate, this.stages, basis, this.check.labels.replica);
  }

  get usage(): readonly {
    readonly id: string;
    readonly points: readonly { readonly cpu: number; readonly memoryBytes: number }[];
  }[] {
    const spans = this.spans();
    return this.run.aggregate
      .usage()
      .filter(({ id, role }) => role === 'target' && (this.check.labels.replica ?? id) === id)
      .map(({ id, points }) => ({ id, points: points.filter(({ atMs }) => isWithin(spans, atMs)) }))
      .filter(({ points }) => points.length > 0);
  }

  private spans(): readonly Span[] {
    const { plan, window } = this.run;
    return spansOf(plan, this.stages).map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, window?.fromMs ?? 0),
      toMs: Math.min(toMs, window?.toMs ?? Infinity),
    }));
  }
}

const byOperation: readonly Label[] = ['stage', 'profile', 'operation', 'arm'];
const byProfile: readonly Label[] = ['stage', 'profile', 'arm'];
const byFault: readonly Label[] = ['phase', 'fault'];

const metrics: Readonly<Record<string, Metric>> = {
  ...Object.fromEntries(
    statistics.map((statistic) => [
      `latency.${statistic}`,
      ofReplica(
        [...byOperation, ...byFault],
        latency(
          ({ histograms }) => histograms.latency,
          'successful operation',
          ({ histograms }) => histograms.latencyFloor,
        )(statistic),
        (replica) => timeOf(replica.latency, replica.latencyFloor, statistic, 'successful operation'),
      ),
    ]),
  ),
  ...family(
    'service',
    byOperation,
    latency(
      ({ histograms }) => histograms.service,
      'successful operation',
      ({ histograms }) => histograms.serviceFloor,
    ),
  ),
  ...family(
    'connect',
    byProfile,
    (statistic) =>
      ({ opened }) =>
        timeOf(opened.connect, undefined, statistic, 'connection'),
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
  throughput: { labels: [...byOperation, ...byFault], value: perSecond(({ counts }) => counts.succeeded) },
  offered: { labels: byOperation, value: perSecond(({ counts }) => counts.offered) },
  delivered: {
    labels: byOperation,
    value: ({ totals: { counts } }) =>
      counts.offered === 0 ? noData('no operation was due') : value(counts.sent / counts.offered, counts.offered),
  },
  'errors.rate': ofReplica(
    [...byOperation, 'category', ...byFault],
    errors(({ failed, ended }) => failed / ended),
    ({ counts: { succeeded, failed } }) =>
      succeeded + failed === 0
        ? noData('the replica ended no operation')
        : value(failed / (succeeded + failed), succeeded + failed),
  ),
  'errors.count': ofReplica(
    [...byOperation, 'category', ...byFault],
    errors(({ failed }) => failed),
    ({ counts: { succeeded, failed } }) =>
      succeeded + failed === 0 ? noData('the replica ended no operation') : value(failed, succeeded + failed),
  ),
  'sessions.lost': {
    labels: byProfile,
    value: ({ totals }) =>
      totals.isEmpty
        ? noData('no session was reported')
        : value(totals.sessions.sessionsLost, totals.sessions.sessionsOpened),
  },
  'sessions.peak': {
    labels: ['stage'],
    value: ({ timeline }) =>
      timeline.length === 0
        ? noData('no second of the stage was reported')
        : value(mostSessions(timeline), timeline.length),
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
  /** Cores, mean over time, of the busiest replica. */
  'usage.cpu': { labels: ['stage', 'replica'], value: ({ usage }) => ofReplicas(usage, ({ cpu }) => cpu, mean) },
  /** Peak, of the largest replica. */
  'usage.memory': {
    labels: ['stage', 'replica'],
    value: ({ usage }) => ofReplicas(usage, ({ memoryBytes }) => memoryBytes, peak),
  },
  'affinity.moved': ofReplica(
    byProfile,
    ({ totals }) => {
      const affinity = affinityOf(totals);
      return affinity === undefined
        ? noData('no answer named its replica')
        : value(affinity.counts.moved, affinity.counts.sessions);
    },
    ({ counts }) => value(counts.moved, counts.sessions),
  ),
  'fault.detection': { labels: ['fault'], value: detection },
  'fault.recovery': { labels: ['fault'], value: ({ recoveries }) => slowest(recoveries) },
  'fault.unavailability': { labels: ['fault'], value: unavailability },
  /** Slope against the sessions that clients hold. */
  'memory.perSession': { labels: ['stage', 'replica'], value: perSession('open') },
  /** Slope against all sessions opened so far: what each of them leaves behind. */
  'memory.leftPerSession': { labels: ['stage', 'replica'], value: perSession('opened') },
};

function ofReplica(
  labels: readonly Label[],
  whole: Metric['value'],
  part: (replica: ReplicaTotals) => Measurement,
): Metric {
  return {
    labels: [...labels, 'replica'],
    value: (input) => {
      const { replica: name, operation, category } = input.check.labels;
      if (name === undefined) return whole(input);
      if (operation !== undefined || category !== undefined)
        return noData('the work of a replica is not kept by operation or category');
      const { replica } = input;
      return replica === undefined ? noData(`no answer came from a replica ${name}`) : part(replica);
    },
  };
}

function latency(of: (totals: Totals) => HdrCounts, what: string, floorOf?: (totals: Totals) => HdrCounts) {
  return (statistic: Statistic): Metric['value'] =>
    ({ totals }) =>
      timeOf(of(totals), floorOf?.(totals), statistic, what);
}

/** @param floor the same times without the generator's own share; undefined: not known */
function timeOf(counts: HdrCounts, floor: HdrCounts | undefined, statistic: Statistic, what: string): Measurement {
  const measured = statisticOf(counts, statistic);
  if (measured === undefined) return noData(`no ${what} was recorded`);
  const low = floor === undefined ? undefined : intervalOf(counts, floor, statistic)?.low;
  return { ...value(measured, counts.total), ...(low === undefined ? {} : { floor: low }) };
}

/** `name.p95` and its siblings. */
function family(
  name: string,
  labels: readonly Label[],
  of: (statistic: Statistic) => Metric['value'],
): Readonly<Record<string, Metric>> {
  return Object.fromEntries(statistics.map((statistic) => [`${name}.${statistic}`, { labels, value: of(statistic) }]));
}

/** Operations that ended, and those of them that failed: the target's errors, or those of any one category. */
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

/** A value only where the whole interval lies on one side of the limit; otherwise the fit is too poor to judge by. */
function perSession(basis: SessionBasis): Metric['value'] {
  return (input) => {
    const found = input.sessionMemory(basis);
    if (found.kind === 'none') return noData(found.why);
    const { slope, low, high } = found.bytes;
    const { value: limit } = input.check;
    if (low > limit || high < limit) return value(slope, found.samples);
    return noData(
      `between ${formatBytes(low)} and ${formatBytes(high)} a session (95 %, ${found.samples} samples): ` +
        `too uncertain to compare with ${formatBytes(limit)}`,
    );
  };
}

function mostSessions(timeline: readonly Second[]): number {
  return peak(timeline.map(({ sessions }) => sessions));
}

/** From the first effect until the gateway had noticed, of every fault. */
function detection(input: CheckInput): Measurement {
  if (input.faults.length === 0) return noData('no fault was injected');
  const times = input.faults.map((fault) => {
    const firstMs = input.effects(fault)?.firstEffectMs;
    const noticedMs = fault.noticed.find(({ by }) => by === 'gateway')?.atMs;
    return { fault, ms: firstMs === undefined || noticedMs === undefined ? undefined : noticedMs - firstMs };
  });
  const unseen = times.find(({ ms }) => ms === undefined);
  if (unseen !== undefined)
    return noData(`no client saw an effect of fault ${unseen.fault.id}, or no gateway took its replica out`);
  return value(peak(times.map(({ ms = 0 }) => ms)), times.length);
}

function unavailability(input: CheckInput): Measurement {
  if (input.faults.length === 0) return noData('no fault was injected');
  const seconds = input.faults.map((fault) => input.effects(fault)?.unavailableSeconds);
  if (seconds.some((one) => one === undefined)) return noData('the load was not the same before and after a fault');
  return value(peak(seconds.map((one = 0) => one * 1000)), seconds.length);
}

/** All of them must be known; otherwise a recovery that never ended would not count. */
function slowest(recoveries: readonly Recovery[]): Measurement {
  if (recoveries.length === 0) return noData('no fault was injected');
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
): Measurement {
  return usage.length === 0
    ? noData('no resource use of the target was reported (it is known only for targets that this run started)')
    : value(
        peak(usage.map(({ points }) => of(points.map(read)))),
        usage.reduce((sum, { points }) => sum + points.length, 0),
      );
}

/** The clocks of publisher and subscriber may differ by at most this share of a value. */
const mostClockError = 0.1;

/** Whether the clocks were close enough for this delivery time. */
export function isCertain(ms: number, clockErrorMs: number): boolean {
  return clockErrorMs <= ms * mostClockError;
}

function deliveryTime({ delivery, clockErrorMs }: Totals, statistic: Statistic): Measurement {
  const measured = statisticOf(delivery, statistic);
  if (measured === undefined) return noData('no subscriber received a stamped publication');
  if (isCertain(measured, clockErrorMs)) return value(measured, delivery.total);
  return noData(
    `the clocks of publishers and subscribers may be ${clockErrorMs} ms apart, ` +
      `more than a tenth of the ${measured} ms measured`,
  );
}

/** A subscriber that never caught up has no time, so the times of the others are not enough. */
function catchUpTime({ catchUp, streams }: Totals, statistic: Statistic): Measurement {
  const measured = statisticOf(catchUp, statistic);
  if (streams.returned === 0) return noData('no subscriber was away and came back');
  if (measured === undefined || catchUp.total < streams.returned)
    return noData(`${streams.returned - catchUp.total} of ${streams.returned} subscribers had not caught up`);
  return value(measured, catchUp.total);
}

/** Known only when all workers have finished: until then, publications on their way look lost. */
function lostDeliveries(aggregate: Aggregate): Measurement {
  const deliveries = aggregate.deliveries();
  if (deliveries === undefined || deliveries.published === 0) return noData('no stamped publication was made');
  if (deliveries.delivered === 0) return noData(`none of ${deliveries.published} publications was delivered`);
  if ([...aggregate.workers().values()].some(({ final }) => final === undefined))
    return noData('losses are known only when all workers have finished');
  return value(deliveries.lost, deliveries.expected);
}

function deliveryCount({ streams }: Totals, name: 'duplicated' | 'outOfOrder' | 'delivered'): Measurement {
  return streams.delivered === 0
    ? noData('no subscriber received a stamped publication')
    : value(streams[name], streams.delivered);
}

/** @param wholeRun streams that are opened in one stage stay open in the next */
function streamCount({ streams }: Totals, wholeRun: Totals, name: keyof StreamCounts): Measurement {
  const opened = wholeRun.streams.opened + wholeRun.streams.resumed;
  return opened === 0 ? noData('no stream was ever open') : value(streams[name], opened);
}

function noData(why: string): Measurement {
  return { kind: 'no-data', why };
}

function value(measured: number, samples: number): Extract<Measurement, { readonly kind: 'value' }> {
  return { kind: 'value', value: measured, samples };
}
