/** What a fault did to the load, from the outcomes of operations in bins of 100 ms. */
import { isByUs } from '../../../client-sim/protocol/misbehaviour-key.js';
import { FAULT_AFTER_MS, FAULT_BEFORE_MS, type Plan, type Stickiness } from '../../../scenarios/schema/plan.js';
import type { FaultRecord } from '../facts/fault-records.js';
import { plannedEndMs, type Span } from '../facts/stages.js';
import type { Aggregate } from '../merge/aggregate.js';
import { BIN_MS, type Outcome } from '../merge/outcome-store.js';
import { isSteady, type Recovery } from './fault-recovery.js';
import { mean, peak, sum } from './numbers.js';

export const phases = ['before', 'fault', 'recovery'] as const;
export type Phase = (typeof phases)[number];

/** The objective holds when all of this holds over 3 s. */
export const objective = { throughput: 0.95, p95: 1.5, errors: 0.01, windowBins: 30 } as const;
export const HOLDS_FOR_MS = objective.windowBins * BIN_MS;
/** An answer is late from here on: so many times the p95 of before, and so much more than it. */
const LATE = { times: 1.5, byMs: 10 } as const;
const LEAST_BEFORE_BINS = 20;
/** Rates of fewer operations than this are smoothed over several bins. */
const SMOOTH_COUNT = 20;
const MOST_SMOOTH_BINS = 11;

/** Operations that were due in a phase. */
export interface PhaseCounts {
  readonly seconds: number;
  readonly due: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly lost: number;
  /** Correct answers that came late. */
  readonly late: number;
  /** Failures by category. */
  readonly errors: Readonly<Record<string, number>>;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
}

export interface FaultEffects {
  readonly spans: Readonly<Record<Phase, Span>>;
  readonly phases: Readonly<Record<Phase, PhaseCounts>>;
  /** In the fault and its recovery, by profile. */
  readonly profiles: readonly {
    readonly profile: string;
    readonly sticky: Stickiness | undefined;
    readonly counts: PhaseCounts;
  }[];
  /** Correct answers that took longer than this are late. */
  readonly lateMs: number | undefined;
  /** Run time of the first sign that a client saw, within 100 ms. */
  readonly firstEffectMs: number | undefined;
  /** From the beginning of the fault until the objective held again for 3 s. */
  readonly objective: Recovery;
  /** From the undo. */
  readonly recovered: Recovery;
  /** Integral of 1 - good / offered over time, beyond what it was before; undefined where that is not known. */
  readonly unavailableSeconds: number | undefined;
  /** Longest stretch in which less than half of what was due was answered correctly. */
  readonly outageSeconds: number | undefined;
  readonly sessionsLost: number;
  readonly sessionsMoved: number;
  readonly bins: FaultBins;
}

/** By 100 ms of run time: due, and ended correctly or not, at the time when they ended. */
export interface FaultBins {
  readonly fromMs: number;
  readonly due: readonly number[];
  readonly good: readonly number[];
  readonly bad: readonly number[];
}

type Source = Pick<Aggregate, 'outcomes' | 'timeline' | 'faults' | 'lastMs'>;

/** The effects of all faults that began, by id; empty when the log has no outcomes around faults. */
export function effectsOfAll(plan: Plan, aggregate: Source): ReadonlyMap<string, FaultEffects> {
  const store = aggregate.outcomes();
  const faults = aggregate.faults();
  const key = [store.version, aggregate.lastMs, ...faults.map(({ id, endedMs }) => `${id} ${endedMs}`)].join();
  const known = computed.get(store);
  if (known?.key === key) return known.effects;
  const effects = new Map<string, FaultEffects>();
  /** When what each fault did was over. */
  const over: { readonly startedMs: number; readonly endedMs: number; readonly quietMs: number }[] = [];
  for (const fault of store.isEmpty ? [] : faults) {
    // Where faults share some time, the first of them is compared with what came before, and so are the others.
    const originMs = over
      .toReversed()
      .reduce((origin, one) => (one.endedMs > origin ? Math.min(origin, one.startedMs) : origin), fault.startedMs);
    const quietFromMs = peak(over.filter(({ endedMs }) => endedMs <= originMs).map((one) => one.quietMs));
    const spans = phaseSpans(plan, aggregate, fault, Math.min(quietFromMs, originMs), originMs);
    const own = effectsOf(plan, aggregate, spans, fault);
    effects.set(fault.id, own);
    const { recovered } = own;
    const endedMs = spans.recovery.fromMs;
    const recoveredMs = recovered.kind === 'recovered' ? recovered.seconds * 1000 : 0;
    // The objective may hold again while the last of what it struck is still on its way back.
    const quietMs = Math.max(endedMs + recoveredMs, fault.undoneMs ?? 0);
    over.push({ startedMs: fault.startedMs, endedMs, quietMs });
  }
  computed.set(store, { key, effects });
  return effects;
}

/** They take some time to compute, and each threshold on faults asks for them. */
const computed = new WeakMap<object, { readonly key: string; readonly effects: ReadonlyMap<string, FaultEffects> }>();

/** What comes between two faults belongs to the recovery of the first. */
function phaseSpans(
  plan: Plan,
  aggregate: Pick<Aggregate, 'faults' | 'lastMs'>,
  { id, startedMs, endedMs }: FaultRecord,
  quietMs: number,
  originMs: number,
): Record<Phase, Span> {
  const trial = trialAt(plan, startedMs);
  const endMs = Math.min(trial.toMs, aggregate.lastMs);
  const undoneMs = Math.min(endedMs ?? endMs, endMs);
  const others = aggregate.faults().filter((other) => other.id !== id);
  const nextMs = Math.min(endMs, ...others.map((one) => one.startedMs).filter((ms) => ms >= undoneMs));
  // Clients open their sessions in the first second.
  const settledMs = originMs - trial.fromMs > 4000 ? trial.fromMs + 1000 : trial.fromMs;
  const beforeMs = Math.max(settledMs, originMs - FAULT_BEFORE_MS, quietMs);
  return {
    before: { fromMs: beforeMs, toMs: Math.max(beforeMs, originMs) },
    fault: { fromMs: startedMs, toMs: Math.max(startedMs, undoneMs) },
    recovery: { fromMs: undoneMs, toMs: Math.max(undoneMs, Math.min(nextMs, undoneMs + FAULT_AFTER_MS)) },
  };
}

function effectsOf(
  plan: Plan,
  aggregate: Source,
  spans: Readonly<Record<Phase, Span>>,
  fault: FaultRecord,
): FaultEffects {
  const whole = { fromMs: spans.before.fromMs, toMs: Math.max(spans.fault.toMs, spans.recovery.toMs) };
  const all = aggregate.outcomes().select({ fromBin: binOf(whole.fromMs), toBin: Math.ceil(whole.toMs / BIN_MS) + 1 });
  const outcomes = all.filter(({ category }) => !isByUs(category));
  const of = (phase: Phase): readonly Outcome[] => outcomes.filter((one) => isOfPhase(one, phase, spans));
  const [before, during, recovery] = [of('before'), of('fault'), of('recovery')];
  const p95 = percentile(before.filter(isCorrect), 0.95);
  const lateMs = p95 === undefined ? undefined : Math.max(p95 * LATE.times, p95 + LATE.byMs);
  const count = (some: readonly Outcome[], seconds: number): PhaseCounts => countsOf(some, seconds, lateMs);
  const after = [...during, ...recovery];
  const series = new BinSeries(plan, outcomes, whole, spans, lateMs);
  const afterSpan = { fromMs: spans.fault.fromMs, toMs: whole.toMs };
  return {
    spans,
    phases: {
      before: count(before, secondsOf(spans.before)),
      fault: count(during, secondsOf(spans.fault)),
      recovery: count(recovery, secondsOf(spans.recovery)),
    },
    profiles: plan.profiles.map(({ name, sticky }) => ({
      profile: name,
      sticky: sticky ?? ('sticky' in plan.target ? plan.target.sticky : undefined),
      counts: count(
        after.filter(({ profile }) => profile === name),
        secondsOf(afterSpan),
      ),
    })),
    lateMs,
    firstEffectMs: series.firstEffectMs(),
    objective: series.holdsAgain(spans.fault.fromMs),
    recovered:
      fault.endedMs === undefined
        ? { kind: 'unknown', why: 'it was not undone' }
        : series.holdsAgain(spans.recovery.fromMs),
    unavailableSeconds: series.unavailableSeconds(),
    outageSeconds: series.outageSeconds(),
    ...sessionsIn(aggregate, afterSpan),
    bins: series.bins(),
  };
}

function sessionsIn(aggregate: Source, { fromMs, toMs }: Span): Pick<FaultEffects, 'sessionsLost' | 'sessionsMoved'> {
  const seconds = aggregate
    .timeline()
    .filter(({ t }) => t * 1000 >= Math.floor(fromMs / 1000) * 1000 && t * 1000 < toMs);
  return {
    sessionsLost: sum(seconds.map(({ sessionsLost }) => sessionsLost)),
    sessionsMoved: sum(seconds.map(({ sessionsMoved }) => sessionsMoved)),
  };
}

/** The outcomes in bins, by when operations were due and by when they ended. */
class BinSeries {
  private readonly first: number;
  private readonly due: number[];
  private readonly good: number[];
  private readonly bad: number[];
  private readonly late: number[];
  /** Of correct answers that ended in the bin. */
  private readonly ended: Outcome[][];
  private readonly started: number;
  /** Bins of the time before. */
  private readonly quiet: number;
  private readonly length: number;
  /** Operations due in a bin of the time before; undefined when there was too little of it. */
  private readonly rate: number | undefined;
  private readonly smoothBins: number;
  private readonly unavailable: readonly number[];
  private readonly windows: Window[] = [];

  constructor(
    plan: Plan,
    outcomes: readonly Outcome[],
    whole: Span,
    private readonly spans: Readonly<Record<Phase, Span>>,
    private readonly lateMs: number | undefined,
  ) {
    this.first = binOf(whole.fromMs);
    this.length = Math.max(0, Math.floor(whole.toMs / BIN_MS) - this.first);
    const zeros = (): number[] => Array.from({ length: this.length }, () => 0);
    [this.due, this.good, this.bad, this.late] = [zeros(), zeros(), zeros(), zeros()];
    this.ended = Array.from({ length: this.length }, () => []);
    for (const outcome of outcomes) this.add(outcome);
    this.started = binOf(spans.fault.fromMs) - this.first;
    this.quiet = Math.max(0, binOf(spans.before.toMs) - this.first);
    const steady = isSteady(plan, whole.fromMs, whole.toMs);
    const enough = this.quiet >= LEAST_BEFORE_BINS && steady;
    const rate = enough ? mean(this.due.slice(0, this.quiet)) : undefined;
    this.rate = rate !== undefined && rate > 0 ? rate : undefined;
    const wanted = this.rate === undefined ? 1 : Math.ceil(SMOOTH_COUNT / this.rate);
    this.smoothBins = Math.min(MOST_SMOOTH_BINS, wanted % 2 === 0 ? wanted + 1 : wanted);
    this.unavailable = this.good.map((_, at) => this.unavailableAt(at));
  }

  bins(): FaultBins {
    const { due, good, bad } = this;
    return { fromMs: this.first * BIN_MS, due, good, bad };
  }

  firstEffectMs(): number | undefined {
    const usual = (counts: readonly number[]): number => peak(counts.slice(0, this.quiet));
    const [mostBad, mostLate, mostMissing] = [usual(this.bad), usual(this.late), usual(this.unavailable)];
    for (let at = this.started; at < this.length; at += 1) {
      const [bad = 0, late = 0, missing = 0] = [this.bad[at], this.late[at], this.unavailable[at]];
      if (bad > mostBad || late > mostLate || (missing > 0.5 && missing > mostMissing))
        return Math.max(this.spans.fault.fromMs, (this.first + at) * BIN_MS);
    }
    return undefined;
  }

  /** From `fromMs` until the objective holds again for 3 s; 0: it never failed. */
  holdsAgain(fromMs: number): Recovery {
    const { windowBins } = objective;
    const from = binOf(fromMs) - this.first;
    const unknown = (why: string): Recovery => ({ kind: 'unknown', why });
    if (this.quiet < windowBins) return unknown('less than 3 s of undisturbed load came before it');
    if (this.rate === undefined) return unknown('the load was not the same before and after it');
    if (from + windowBins > this.length) return unknown('less than 3 s of load came after it');
    const usual = Array.from({ length: this.quiet - windowBins + 1 }, (_, at) => this.windowAt(at));
    const rule = {
      good: Math.min(objective.throughput * windowBins * this.rate, ...usual.map(({ good }) => good)),
      errors: Math.max(
        mean(usual.map(({ errors }) => errors)) + objective.errors,
        peak(usual.map((one) => one.errors)),
      ),
      p95Ms: Math.max(objective.p95 * mean(usual.map(({ p95Ms }) => p95Ms)), peak(usual.map((one) => one.p95Ms))),
    };
    let failed = false;
    for (let at = Math.max(0, from); at + windowBins <= this.length; at += 1) {
      const { good, errors, p95Ms } = this.windowAt(at);
      const holds = good >= rule.good && errors <= rule.errors && p95Ms <= rule.p95Ms;
      if (failed && holds) {
        const seconds = Math.max(0, ((this.first + at) * BIN_MS - fromMs) / 1000);
        return { kind: 'recovered', seconds, samples: this.length - from };
      }
      failed ||= !holds;
    }
    if (failed) return unknown('the objective had not held again for 3 s when the next fault or the end came');
    return { kind: 'recovered', seconds: 0, samples: this.length - from };
  }

  unavailableSeconds(): number | undefined {
    if (this.rate === undefined) return undefined;
    const usual = mean(this.unavailable.slice(0, this.quiet));
    // Later on there is nothing but noise, which would add up.
    const recovered = this.holdsAgain(this.spans.recovery.fromMs);
    const afterBins = recovered.kind === 'recovered' ? Math.ceil(recovered.seconds * 10) + 10 : this.length;
    const end = Math.min(this.length, binOf(this.spans.recovery.fromMs) - this.first + afterBins);
    const missing = this.unavailable.slice(this.started, end);
    // Where most answers are missing there is no noise to take off.
    const outage = sum(missing.filter((one) => one > 0.5));
    const loss = sum(missing.filter((one) => one <= 0.5).map((one) => one - usual));
    return ((outage + Math.max(0, loss)) * BIN_MS) / 1000;
  }

  outageSeconds(): number | undefined {
    if (this.rate === undefined) return undefined;
    let [longest, current] = [0, 0];
    for (const missing of this.unavailable.slice(this.started)) {
      current = missing > 0.5 ? current + 1 : 0;
      longest = Math.max(longest, current);
    }
    return (longest * BIN_MS) / 1000;
  }

  private add(outcome: Outcome): void {
    const { bin, count, durationMs } = outcome;
    const dueAt = bin - this.first;
    if (dueAt >= 0 && dueAt < this.length) this.due[dueAt] = (this.due[dueAt] ?? 0) + count;
    // Operations of a bin are due in its middle, on average.
    const endAt = Math.floor(bin + 0.5 + durationMs / BIN_MS) - this.first;
    if (endAt < 0 || endAt >= this.length) return;
    const counts = isCorrect(outcome) ? this.good : this.bad;
    counts[endAt] = (counts[endAt] ?? 0) + count;
    if (!isCorrect(outcome)) return;
    this.ended[endAt]?.push(outcome);
    if (this.lateMs !== undefined && durationMs > this.lateMs) this.late[endAt] = (this.late[endAt] ?? 0) + count;
  }

  /** 1 - good / offered, 0 to 1. */
  private unavailableAt(at: number): number {
    const half = (this.smoothBins - 1) / 2;
    const [from, to] = [Math.max(0, at - half), Math.min(this.length, at + half + 1)];
    const good = sum(this.good.slice(from, to));
    // Clients that wait for answers offer less while there are none, so what they offered before counts.
    const offered = this.rate === undefined ? sum(this.due.slice(from, to)) : this.rate * (to - from);
    return offered === 0 ? 0 : Math.max(0, 1 - good / offered);
  }

  private windowAt(at: number): Window {
    const known = this.windows[at];
    if (known !== undefined) return known;
    const end = at + objective.windowBins;
    const [good, bad] = [sum(this.good.slice(at, end)), sum(this.bad.slice(at, end))];
    const window = {
      good,
      errors: good + bad === 0 ? 0 : bad / (good + bad),
      p95Ms: percentile(this.ended.slice(at, end).flat(), 0.95) ?? 0,
    };
    this.windows[at] = window;
    return window;
  }
}

/** What ended in a stretch of 3 s. */
interface Window {
  readonly good: number;
  readonly errors: number;
  readonly p95Ms: number;
}

/** The trial that runs at this moment. */
function trialAt({ stages }: Plan, ms: number): Span {
  const number = stages.findLast(({ startMs }) => startMs <= ms)?.trial ?? 1;
  const own = stages.filter(({ trial }) => trial === number);
  return { fromMs: own[0]?.startMs ?? 0, toMs: plannedEndMs({ stages: own }) };
}

function countsOf(outcomes: readonly Outcome[], seconds: number, lateMs: number | undefined): PhaseCounts {
  const correct = outcomes.filter(isCorrect);
  const errors: Record<string, number> = {};
  for (const { category, count } of outcomes) if (category !== '') errors[category] = (errors[category] ?? 0) + count;
  const { lost = 0, ...failures } = errors;
  return {
    seconds,
    due: total(outcomes),
    succeeded: total(correct),
    failed: sum(Object.values(failures)),
    lost,
    late: lateMs === undefined ? 0 : total(correct.filter(({ durationMs }) => durationMs > lateMs)),
    errors: failures,
    p50Ms: percentile(correct, 0.5),
    p95Ms: percentile(correct, 0.95),
  };
}

function isCorrect({ category }: Outcome): boolean {
  return category === '';
}

function total(outcomes: readonly Outcome[]): number {
  return sum(outcomes.map(({ count }) => count));
}

/**
 * Whether an operation was due in a phase; a bin belongs to the one in which its middle lies. What was on its way when
 * the fault came belongs to the fault.
 */
export function isOfPhase({ bin, durationMs }: Outcome, phase: Phase, spans: Readonly<Record<Phase, Span>>): boolean {
  const dueMs = (bin + 0.5) * BIN_MS;
  const isDueIn = ({ fromMs, toMs }: Span): boolean => dueMs >= fromMs && dueMs < toMs;
  const wasCaught = isDueIn(spans.before) && dueMs + durationMs >= spans.fault.fromMs;
  if (phase === 'before') return isDueIn(spans.before) && !wasCaught;
  return isDueIn(spans[phase]) || (phase === 'fault' && wasCaught);
}

/** Of the durations. */
function percentile(outcomes: readonly Outcome[], share: number): number | undefined {
  const all = total(outcomes);
  if (all === 0) return undefined;
  let left = Math.max(1, Math.ceil(share * all));
  for (const { durationMs, count } of outcomes.toSorted((a, b) => a.durationMs - b.durationMs)) {
    left -= count;
    if (left <= 0) return durationMs;
  }
  return undefined;
}

function binOf(ms: number): number {
  return Math.floor(ms / BIN_MS);
}

function secondsOf({ fromMs, toMs }: Span): number {
  return (toMs - fromMs) / 1000;
}
