import { endpointsFor } from '../protocol/endpoints.js';
import type { AssignmentOrder } from '../protocol/messages.js';
import type { Way } from './thread-messages.js';

/**
 * By profile: the route that names it, or the one way of all; the endpoints that its transport can use. @throws
 * RangeError when there are routes and a profile is in none
 */
export function waysOf(order: Pick<AssignmentOrder, 'plan' | 'endpoints' | 'pinned' | 'routes'>): readonly Way[] {
  const { plan, endpoints, pinned, routes } = order;
  return plan.profiles.map(({ name, transport }, index) => {
    if (routes === undefined) return { endpoints: endpointsFor(endpoints, transport), pinned };
    const route = routes.find(({ profiles }) => profiles.includes(index));
    if (route === undefined) throw new RangeError(`no route of the assignment is that of profile ${name}`);
    return { endpoints: endpointsFor(route.endpoints, transport), pinned: route.pinned };
  });
}
