import type { Health } from '../../../client-sim/protocol/messages.js';

/**
 * What is kept of each health report: its values rounded to 2 digits and how often each came, so that any limit can be
 * judged later.
 */
export type HealthKey =
  | 'cpu'
  | 'cores'
  | 'memoryBytes'
  | 'eventLoopUtilization'
  | 'processorWait'
  | 'processorWaitWhenLate'
  | 'eventLoopDelayP99Ms'
  | 'lagP99Ms'
  | 'throttledRatio'
  | 'openFilesShare'
  | 'localPortsShare';

/** The health reports of one worker in one stage. */
export interface HealthCounters {
  reports: number;
  saturated: number;
  /** The newest reason that the worker gave for being saturated. */
  reason: string | undefined;
  readonly values: Map<HealthKey, Map<number, number>>;
}

export function newHealthCounters(): HealthCounters {
  return { reports: 0, saturated: 0, reason: undefined, values: new Map() };
}

export function addHealth(counters: HealthCounters, health: Health): void {
  counters.reports += 1;
  if (health.saturated) {
    counters.saturated += 1;
    counters.reason = health.reason ?? counters.reason;
  }
  for (const [key, value] of Object.entries(readings(health)) as [HealthKey, number | undefined][]) {
    if (value === undefined) continue;
    const tally = counters.values.get(key) ?? new Map<number, number>();
    const rounded = Number(value.toPrecision(2));
    tally.set(rounded, (tally.get(rounded) ?? 0) + 1);
    counters.values.set(key, tally);
  }
}

function readings(health: Health): Record<HealthKey, number | undefined> {
  return {
    cpu: health.cpu,
    cores: health.cores,
    memoryBytes: health.memoryBytes,
    eventLoopUtilization: health.eventLoopUtilization,
    processorWait: health.processorWait,
    processorWaitWhenLate: isLate(health) ? health.processorWait : undefined,
    eventLoopDelayP99Ms: health.eventLoopDelayP99Ms,
    lagP99Ms: isOwnLag(health) ? health.lagP99Ms : undefined,
    throttledRatio: health.throttledRatio,
    openFilesShare: health.openFilesLimit > 0 ? health.openFiles / health.openFilesLimit : undefined,
    localPortsShare:
      health.localPorts !== undefined && health.localPortsLimit !== undefined && health.localPortsLimit > 0
        ? health.localPorts / health.localPortsLimit
        : undefined,
  };
}

/**
 * The generator causes send lag only when its loop was held up about as long; otherwise operations waited for room in
 * the window, and so for the target.
 */
function isOwnLag(health: Health): boolean {
  return health.eventLoopDelayP99Ms >= health.lagP99Ms / 2;
}

/** Beyond one of these limits a worker was late. A loop that is never idle is late with the next task. */
export const timingLimits = {
  eventLoopUtilization: 0.9,
  lagP99Ms: 30,
  eventLoopDelayP99Ms: 50,
} as const satisfies Partial<Record<HealthKey, number>>;

function isLate(health: Health): boolean {
  return (
    health.eventLoopUtilization > timingLimits.eventLoopUtilization ||
    health.eventLoopDelayP99Ms > timingLimits.eventLoopDelayP99Ms ||
    (isOwnLag(health) && health.lagP99Ms > timingLimits.lagP99Ms)
  );
}

/** The health of several stages as one. */
export function mergeHealth(all: readonly HealthCounters[]): HealthCounters {
  const merged = newHealthCounters();
  for (const counters of all) {
    merged.reports += counters.reports;
    merged.saturated += counters.saturated;
    merged.reason = counters.reason ?? merged.reason;
    for (const [key, tally] of counters.values) {
      const into = merged.values.get(key) ?? new Map<number, number>();
      for (const [value, times] of tally) into.set(value, (into.get(value) ?? 0) + times);
      merged.values.set(key, into);
    }
  }
  return merged;
}

interface HealthReading {
  readonly mean: number;
  readonly worst: number;
}

/** @returns undefined when this value was never reported */
export function readingOf(counters: HealthCounters, key: HealthKey): HealthReading | undefined {
  const tally = counters.values.get(key);
  if (tally === undefined || tally.size === 0) return undefined;
  return { mean: meanOf([...tally]), worst: Math.max(...tally.keys()) };
}

/** How many reports were beyond the limit, and their mean. */
export function beyondLimit(
  counters: HealthCounters,
  key: HealthKey,
  limit: number,
): { readonly reports: number; readonly mean: number } {
  const beyond = [...(counters.values.get(key) ?? [])].filter(([value]) => value > limit);
  return { reports: beyond.reduce((sum, [, times]) => sum + times, 0), mean: meanOf(beyond) };
}

function meanOf(tally: readonly (readonly [value: number, times: number])[]): number {
  const times = tally.reduce((sum, [, count]) => sum + count, 0);
  return times === 0 ? 0 : tally.reduce((sum, [value, count]) => sum + value * count, 0) / times;
}
