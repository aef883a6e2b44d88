import type { Health } from '../protocol/messages.js';

const FULL = 0.9;
const FIT = 0.8;
/** Share of time without a processor that makes it the machine's doing. */
const MUCH_WAITING = 0.25;

interface SaturationLimits {
  readonly clients: number;
  /** Cores this process can use at all: the machine's, a quota's, or its threads', whichever is least. */
  readonly cores: number;
}

export type Saturation = { readonly saturated: false } | { readonly saturated: true; readonly reason: string };

type Judged = Omit<Health, 'saturated' | 'reason'>;

interface Gauge {
  /** 0..1 of what there is. */
  readonly share: number;
  readonly reason: string;
}

/**
 * Whether the generator is at its limit, with the remedy. Full above 90 %, fit again below 80 %, so that one at the
 * edge does not flap.
 * @param spinning it busy-waits by request: then processor and event loop say nothing, the lag does
 */
export function judgeSaturation(
  was: Saturation,
  health: Judged,
  limits: SaturationLimits,
  spinning: boolean,
): Saturation {
  const threshold = was.saturated ? FIT : FULL;
  const worst = gauges(health, limits, spinning).reduce((a, b) => (b.share > a.share ? b : a));
  if (worst.share > threshold) return { saturated: true, reason: worst.reason };
  return { saturated: false };
}

/** A thread that waits for a processor is busy as its event loop sees it; more threads would only wait with it. */
function loopReason({ eventLoopUtilization, processorWait = 0 }: Judged): string {
  const busy = `an engine thread spent ${Math.round(eventLoopUtilization * 100)} % of its time busy`;
  if (processorWait < MUCH_WAITING) return `${busy}: add threads or workers, or lower the load`;
  return `${busy}, ${Math.round(processorWait * 100)} % of the time waiting for a processor: this machine has no more of them; add workers on other machines, or lower the load`;
}

function gauges(health: Judged, limits: SaturationLimits, spinning: boolean): readonly Gauge[] {
  const percent = (share: number): number => Math.round(share * 100);
  const always: Gauge[] = [
    // At its capacity is full, not beyond it.
    {
      share: health.clients >= limits.clients ? 1 : 0,
      reason: `${health.clients} clients are all this worker takes: add workers, or raise --max-clients`,
    },
    {
      share: health.openFiles / health.openFilesLimit,
      reason: `${health.openFiles} of ${health.openFilesLimit} open files: raise ulimit -n, or add workers`,
    },
  ];
  const busy: Gauge[] = [
    { share: health.eventLoopUtilization, reason: loopReason(health) },
    {
      share: health.cpu / limits.cores,
      reason: `${percent(health.cpu / limits.cores)} % of ${limits.cores} core(s): add workers on other machines, or lower the load`,
    },
  ];
  return spinning ? always : [...always, ...busy];
}
