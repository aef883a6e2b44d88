import type { Endpoint, PinnedProtocol, PreflightRoute, Route } from '../../../client-sim/protocol/messages.js';
import { type Plan, targetOfProfile } from '../../../scenarios/schema/plan.js';
import type { Environment } from '../../platform/platform.js';

/** A route to the target, and the profiles (by index) that take it. */
export interface PlannedRoute extends PreflightRoute {
  /** The endpoints that the preflight asks. */
  readonly preflightEndpoints: readonly Endpoint[];
}

/** In the order of the first profile of each route. */
export function plannedRoutes(
  plan: Plan,
  environment: Pick<Environment, 'endpoints' | 'preflightEndpoints' | 'reach' | 'arms'>,
): readonly PlannedRoute[] {
  const routes = new Map<string, { readonly profiles: number[]; readonly route: Omit<PlannedRoute, 'profiles'> }>();
  for (const [index, profile] of plan.profiles.entries()) {
    const target = targetOfProfile(plan, profile);
    const sticky = target.kind === 'url' || target.kind === 'command' ? undefined : (profile.sticky ?? target.sticky);
    const era = profile.era ?? target.era;
    const key = JSON.stringify([profile.arm, era, sticky]);
    const known = routes.get(key);
    if (known !== undefined) {
      known.profiles.push(index);
      continue;
    }
    const ofArm = profile.arm === undefined ? undefined : environment.arms?.get(profile.arm);
    const { endpoints, preflightEndpoints = endpoints } =
      (sticky === undefined ? undefined : environment.reach?.(sticky)) ?? ofArm ?? environment;
    routes.set(key, { profiles: [index], route: { era, endpoints, preflightEndpoints } });
  }
  return [...routes.values()].map(({ profiles, route }) => ({ profiles, ...route }));
}

/**
 * The routes to the target, as all assignments of a run carry them.
 * @param endpoints used when `routes` is empty: logs from before there were routes have none
 * @param pinned the protocol of each route, in order
 * @throws RangeError when `pinned` is empty
 */
export function settledRoutes(
  endpoints: readonly Endpoint[],
  routes: readonly Pick<PlannedRoute, 'profiles' | 'endpoints'>[],
  pinned: readonly PinnedProtocol[],
): { readonly endpoints: readonly Endpoint[]; readonly pinned: PinnedProtocol; readonly routes?: readonly Route[] } {
  const settled = routes.flatMap(({ profiles, endpoints: own }, index) => {
    const protocol = pinned[index];
    return protocol === undefined ? [] : [{ profiles, endpoints: own, pinned: protocol }];
  });
  const [first] = settled;
  const protocol = first?.pinned ?? pinned[0];
  if (protocol === undefined) throw new RangeError('no protocol was settled');
  return {
    endpoints: first?.endpoints ?? endpoints,
    pinned: protocol,
    ...(settled.length > 1 ? { routes: settled } : {}),
  };
}
