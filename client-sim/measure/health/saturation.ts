import type { Health } from '../../protocol/messages.js';

/** A worker is saturated above this utilisation, and stays so until it is below the lower one, so as not to flap. */
const SATURATED_ABOVE = 0.9;
const UNSATURATED_BELOW = 0.8;
/** From this share of time without a processor on, the machine is the bottleneck, and not the thread. */
const LONG_WAIT = 0.25;

interface SaturationLimits {
  readonly clients: number;
  /** Cores this process can use: those of the machine, of a quota, or of its threads, whichever are fewest. */
  readonly cores: number;
}

export type Saturation = { readonly saturated: false } | { readonly saturated: true; readonly reason: string };

type Measured = Omit<Health, 'saturated' | 'reason'>;

interface Utilisation {
  /** 0..1 */
  readonly share: number;
  readonly reason: string;
}

/**
 * Whether the load generator is at its limit; the reason contains the remedy.
 * @param spinning the threads busy-wait as configured: then processor and event loop say nothing, but the lag does
 */
export function judgeSaturation(
  previous: Saturation,
  health: Measured,
  limits: SaturationLimits,
  spinning: boolean,
): Saturation {
  const threshold = previous.saturated ? UNSATURATED_BELOW : SATURATED_ABOVE;
  const worst = utilisations(health, limits, spinning).reduce((a, b) => (b.share > a.share ? b : a));
  return worst.share > threshold ? { saturated: true, reason: worst.reason } : { saturated: false };
}

function utilisations(health: Measured, limits: SaturationLimits, spinning: boolean): readonly Utilisation[] {
  const always: Utilisation[] = [
    // All or nothing: a worker with one client less than its maximum is not saturated.
    {
      share: health.clients >= limits.clients ? 1 : 0,
      reason: `the worker has ${health.clients} clients, its maximum: add workers, or raise --max-clients`,
    },
    {
      share: health.openFiles / health.openFilesLimit,
      reason: `${health.openFiles} of ${health.openFilesLimit} open files: raise ulimit -n, or add workers`,
    },
  ];
  if (spinning) return always;
  const coreShare = health.cpu / limits.cores;
  return [
    ...always,
    { share: health.eventLoopUtilization, reason: loopReason(health) },
    {
      share: coreShare,
      reason:
        `${percent(coreShare)} % of ${limits.cores} core(s) in use: ` +
        'add workers on other machines, or lower the load',
    },
  ];
}

/** The event loop counts waiting for a processor as busy time, but more threads would only wait, too. */
function loopReason({ eventLoopUtilization, processorWait = 0 }: Measured): string {
  const busy = `an engine thread was busy ${percent(eventLoopUtilization)} % of the time`;
  if (processorWait < LONG_WAIT) return `${busy}: add threads or workers, or lower the load`;
  return (
    `${busy}, ${percent(processorWait)} % waiting for a processor: this machine has no processor left; ` +
    'add workers on other machines, or lower the load'
  );
}

function percent(share: number): number {
  return Math.round(share * 100);
}
