/** The figures that rules are about, from the blocks of runs. */

import { familyOf } from '../../../scenarios/schema/grammar/rule.js';
import type { RulePlan } from '../../../scenarios/schema/plan.js';
import type { BlockCell } from '../merge/block-store.js';
import { HdrCounts } from '../merge/hdr-counts.js';
import type { Scale } from '../statistics/effects.js';
import { type Figures, HistogramFigures, RatioFigures, type Statistic } from '../statistics/figures.js';
import { sum } from '../statistics/numbers.js';

/** A part of the measured time of a run. */
export interface BlockData {
  readonly stage: string;
  readonly trial: number;
  readonly seconds: number;
  readonly cells: readonly BlockCell[];
  readonly connect: HdrCounts;
}

/** What a figure is of: a metric, narrowed by labels. */
export type Subject = Pick<RulePlan, 'metric' | 'labels'>;

/** A trial, or a block of one: what a bootstrap draws. */
export type Unit = readonly BlockData[];

/** How a metric is compared. */
export type Kind = 'histogram' | 'throughput' | 'share';

export function kindOf(metric: string): Kind {
  switch (familyOf(metric)) {
    case 'latency':
    case 'service':
    case 'connect':
      return 'histogram';
    case 'throughput':
      return 'throughput';
    default:
      return 'share';
  }
}

/** Times and rates are compared by their ratio, shares by their difference. */
export function scaleOf(metric: string): Scale {
  return kindOf(metric) === 'share' ? 'difference' : 'ratio';
}

/** `0.999` of `latency.p999`. */
export function statisticOf(metric: string): Statistic {
  const last = metric.slice(metric.indexOf('.') + 1);
  if (last === 'mean' || last === 'max') return last;
  const digits = last.slice(1);
  return digits.includes('.') ? Number(digits) / 100 : Number(digits) / 10 ** Math.max(2, digits.length);
}

/** Several statistics of the same histograms. Precondition: all of one family and labels. */
export function histogramFigures(
  units: readonly Unit[],
  subject: Subject,
  statistics: readonly Statistic[],
): HistogramFigures {
  return new HistogramFigures(
    units.map((unit) => histogramOf(unit, subject)),
    statistics,
  );
}

/** One figure. */
export function figuresOf(units: readonly Unit[], subject: Subject): Figures {
  if (kindOf(subject.metric) === 'histogram') return histogramFigures(units, subject, [statisticOf(subject.metric)]);
  return new RatioFigures(units.map((unit) => ratioOf(unit, subject)));
}

export function histogramOf(unit: Unit, { metric, labels }: Subject): HdrCounts {
  const family = familyOf(metric);
  const merged = new HdrCounts();
  for (const block of blocksOf(unit, labels)) {
    if (family === 'connect') merged.addAll(block.connect);
    else for (const cell of cellsOf(block, labels)) merged.addAll(family === 'service' ? cell.service : cell.latency);
  }
  return merged;
}

/** How much of a statistic of latency or service the generator itself may have added, ms; undefined for others. */
export function ownShareMs(unit: Unit, subject: Subject): number | undefined {
  const family = familyOf(subject.metric);
  if (family !== 'latency' && family !== 'service') return undefined;
  const latency: Subject = { ...subject, metric: `latency.${subject.metric.slice(family.length + 1)}` };
  const floor = new HdrCounts();
  for (const block of blocksOf(unit, subject.labels))
    for (const cell of cellsOf(block, subject.labels)) floor.addAll(cell.latencyFloor);
  const statistics = [statisticOf(subject.metric)];
  const [measured = Number.NaN] = new HistogramFigures([histogramOf(unit, latency)], statistics).read([1]);
  const [without = Number.NaN] = new HistogramFigures([floor], statistics).read([1]);
  return Math.max(0, measured - without);
}

/** Events and what they are counted by: seconds for a rate, operations for a share. */
export function ratioOf(unit: Unit, { metric, labels }: Subject): { readonly of: number; readonly per: number } {
  const blocks = blocksOf(unit, labels);
  const count = (of: (cell: BlockCell) => number): number =>
    sum(blocks.map((block) => sum(cellsOf(block, labels).map(of))));
  switch (metric) {
    case 'throughput':
      return { of: count(({ succeeded }) => succeeded), per: sum(blocks.map(({ seconds }) => seconds)) };
    case 'delivered':
      return { of: count(({ sent }) => sent), per: count(({ offered }) => offered) };
    default:
      return { of: count(({ failed }) => failed), per: count(({ succeeded, failed }) => succeeded + failed) };
  }
}

function blocksOf(unit: Unit, { stage }: Subject['labels']): readonly BlockData[] {
  return stage === undefined ? unit : unit.filter((block) => block.stage === stage);
}

function cellsOf({ cells }: BlockData, { profile, operation }: Subject['labels']): readonly BlockCell[] {
  return cells.filter(
    (cell) =>
      (profile === undefined || cell.profile === profile) && (operation === undefined || cell.operation === operation),
  );
}
