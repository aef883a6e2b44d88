import type { Endpoint } from '../../client-sim/protocol/messages.js';
import type { TargetPlan } from '../../scenarios/schema/plan.js';

/** A server that somebody else runs, as workers are told of it; with everything secret that goes with it. */
export function urlEndpoints({ urls, headers, tls, tokens }: Extract<TargetPlan, { kind: 'url' }>): readonly Endpoint[] {
  return urls.map((url) => ({ url, headers, ...(tls === undefined ? {} : { tls }), ...(tokens === undefined ? {} : { tokens }) }));
}
