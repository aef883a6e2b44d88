/** What thresholds can ask about streams and deliveries. */
import type { StreamCounts } from '../../client-sim/protocol/streams.js';
import type { Aggregate, Measured, Totals } from './contract.js';
import type { Statistic } from './latency-summary.js';
import { statisticOf } from './latency-summary.js';

/**
 * The clocks of publisher and subscriber may be apart by no more than this share of a value that is given (design:
 * measurement 9).
 */
const mostClockError = 0.1;

/** Whether a delivery time is known well enough to be given. */
export function isClear(ms: number, clockErrorMs: number): boolean {
  return clockErrorMs <= ms * mostClockError;
}

export function deliveryTime({ delivery, clockErrorMs }: Totals, statistic: Statistic): Measured {
  const measured = statisticOf(delivery, statistic);
  if (measured === undefined) return noData('no subscriber heard of a stamped publication');
  if (isClear(measured, clockErrorMs)) return { kind: 'value', value: measured, samples: delivery.total };
  return noData(
    `the clocks of publishers and subscribers may be ${clockErrorMs} ms apart, more than a tenth of the ${measured} ms measured`,
  );
}

/** A subscriber that never caught up has no time, but it is not nothing. */
export function catchUpTime({ catchUp, streams }: Totals, statistic: Statistic): Measured {
  const measured = statisticOf(catchUp, statistic);
  if (streams.returned === 0) return noData('no subscriber was away and came back');
  if (measured === undefined || catchUp.total < streams.returned)
    return noData(`${streams.returned - catchUp.total} of ${streams.returned} subscribers had not caught up`);
  return { kind: 'value', value: measured, samples: catchUp.total };
}

/** Known when all is over: until then what is on its way looks lost. */
export function lostDeliveries(aggregate: Aggregate): Measured {
  const deliveries = aggregate.deliveries();
  if (deliveries === undefined || deliveries.published === 0) return noData('nothing was published with a stamp');
  if (deliveries.delivered === 0) return noData(`none of ${deliveries.published} publications was delivered to anyone`);
  if ([...aggregate.workers().values()].some(({ final }) => final === undefined))
    return noData('what was lost is known when all workers have finished');
  return { kind: 'value', value: deliveries.lost, samples: deliveries.expected };
}

export function deliveryCount({ streams }: Totals, name: 'duplicated' | 'outOfOrder' | 'delivered'): Measured {
  return streams.delivered === 0
    ? noData('no subscriber heard of a stamped publication')
    : { kind: 'value', value: streams[name], samples: streams.delivered };
}

/** @param ever of the whole run: streams opened in one stage live on in the next */
export function streamCount({ streams }: Totals, ever: Totals, name: keyof StreamCounts): Measured {
  const opened = ever.streams.opened + ever.streams.resumed;
  return opened === 0 ? noData('no stream was ever open') : { kind: 'value', value: streams[name], samples: opened };
}

function noData(why: string): Measured {
  return { kind: 'no-data', why };
}
