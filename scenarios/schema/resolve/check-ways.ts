/** Whether each profile can have the way to the target that it asks for: a stickiness of its own, an era of its own. */
import type { ProfilePlan, TargetPlan } from '../plan.js';
import type { Part } from './context.js';

/**
 * @param byHand the target was named on the command line, in place of the scenario's
 * @returns the profiles, without what a target named by hand has no use for
 */
export function checkWays(
  target: TargetPlan,
  profiles: readonly ProfilePlan[],
  scenario: Part,
  byHand: boolean,
  warn: (warning: string) => void,
): readonly ProfilePlan[] {
  return profiles.map((profile) => {
    const { name, transport, sticky, ...rest } = profile;
    if (sticky === undefined) return profile;
    const path = ['workload', name, 'gateway'];
    if (target.kind === 'url' || target.kind === 'command') {
      if (!byHand)
        scenario.wrongKey(
          path,
          'CONFLICT',
          '`gateway` is for servers that swarmbench starts, not for a url',
          'take it out',
        );
      else warn(`workload.${name}.gateway of the scenario is not used: the server was named on the command line`);
      return { name, transport, ...rest };
    }
    if (transport !== 'streamable-http')
      scenario.wrongKey(path, 'CONFLICT', `\`gateway.sticky\` is for streamable-http, not ${transport}`, 'take it out');
    return profile;
  });
}
