/** Whether what some profiles publish can be heard of by those that subscribe. */
import type { ProfilePlan } from '../plan.js';
import { factsOf } from '../transports.js';
import type { Part } from './context.js';
import { SUBSCRIBE } from './stream.js';

export function checkStreams(profiles: readonly ProfilePlan[], scenario: Part): void {
  for (const profile of profiles) {
    const { name, transport } = profile;
    if (!factsOf(transport).ownServer || subscribes(profile) === publishes(profile)) continue;
    const other = profiles.find((one) => one !== profile && (subscribes(profile) ? publishes(one) : subscribes(one)));
    if (other === undefined) continue;
    const [publisher, subscriber] = subscribes(profile) ? [other, profile] : [profile, other];
    const message = `over ${transport} each session has a server of its own, so \`${subscriber.name}\` can never hear of what \`${publisher.name}\` publishes`;
    scenario.wrongValue(
      ['workload', name],
      'CONFLICT',
      message,
      'let both reach one server, over another transport; or give one profile both operations: each of its clients hears of its own publications',
    );
  }
}

function subscribes({ operations }: ProfilePlan): boolean {
  return operations.some(({ method }) => method === SUBSCRIBE);
}

function publishes({ operations }: ProfilePlan): boolean {
  return operations.some(({ stamped }) => stamped === true);
}
