import type { ProfilePlan, TargetPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';
import { canReach, factsOf, transportNames, transportsWhere } from '../transports.js';
import { SUBSCRIBE } from './stream.js';

/** Whether every profile can reach the target by its transport, and every part of the target is of use to one. */

export function checkTransports(target: TargetPlan, profiles: readonly ProfilePlan[], scenario: SourcePart): void {
  for (const profile of profiles) {
    checkReach(target, profile, scenario);
    const { eras, oneConnection } = factsOf(profile.transport);
    if (oneConnection && profile.sticky !== undefined) {
      scenario.reportAtValue(
        ['workload', profile.name, 'gateway'],
        'CONFLICT',
        `a session over ${profile.transport} is one connection, which stays at its replica whatever \`gateway.sticky\` says`,
        'take `gateway` out of the profile',
      );
    }
    const era = profile.era ?? target.era;
    if (era !== 'auto' && !eras.includes(era)) {
      scenario.reportAtValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} does not exist in the ${era} era that ${profile.era === undefined ? 'target.era' : 'its `era`'} asks for`,
        `use era: auto or ${eras.join(', ')}`,
      );
    }
  }
  if (target.kind === 'url') checkUse(target, profiles, scenario);
}

function checkReach(target: TargetPlan, profile: ProfilePlan, scenario: SourcePart): void {
  const { schemes, own, ownServer } = factsOf(profile.transport);
  if (target.kind === 'command') {
    if (!ownServer)
      scenario.reportAtValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} starts no server, and the target is a command`,
        `choose: --set workload.${profile.name}.transport=${transportsWhere((facts) => facts.ownServer).join(' or ')}`,
      );
    return;
  }
  if (target.kind === 'image') {
    if (own?.listener !== 'http')
      scenario.reportAtValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} does not go through the gateway to an image, which takes http`,
        'leave `transport` out',
      );
    return;
  }
  if (target.kind !== 'url') {
    if (own?.servers.includes(target.kind) !== true)
      scenario.reportAtValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} is not spoken by the server \`${target.kind}\``,
        `transports of its own: ${spokenBy(target.kind).join(', ')}`,
      );
    return;
  }
  if (ownServer) {
    scenario.reportAtValue(
      ['workload', profile.name],
      'CONFLICT',
      `${where(profile)} starts a server of its own for each session, and the target is ${target.urls.join(', ')}`,
      'name the command: target.server.command',
    );
    return;
  }
  if (target.urls.some((url) => canReach(profile.transport, url))) return;
  const fitting = transportNames.filter((name) => target.urls.some((url) => canReach(name, url)));
  const message = `${where(profile)} needs a url of ${schemes.join(' or ')}, and the target is ${target.urls.join(', ')}`;
  scenario.reportAtValue(
    ['workload', profile.name],
    'CONFLICT',
    message,
    `name such a url, or choose: --set workload.${profile.name}.transport=${fitting.join(' or ')}`,
  );
}

function checkUse(
  target: Extract<TargetPlan, { kind: 'url' }>,
  profiles: readonly ProfilePlan[],
  scenario: SourcePart,
): void {
  const used = [...new Set(profiles.map(({ transport }) => transport))];
  for (const url of target.urls) {
    if (used.length === 0 || used.some((name) => canReach(name, url))) continue;
    scenario.reportAtValue(
      ['target', 'server', 'url'],
      'CONFLICT',
      `no profile reaches ${url}: their transports are ${used.join(', ')}`,
      'take it out, or give a profile its transport',
    );
  }
  const extra = Object.keys(target.headers).length > 0 ? 'headers' : target.tokens === undefined ? undefined : 'auth';
  if (extra !== undefined && used.length > 0 && !used.some((name) => factsOf(name).headers)) {
    scenario.reportAtValue(
      ['target', extra],
      'CONFLICT',
      `${extra === 'auth' ? 'tokens' : 'headers'} have no place in ${used.join(', ')}`,
      'take them out',
    );
  }
}

function spokenBy(server: 'reference' | 'sink'): readonly string[] {
  return transportsWhere(({ own }) => own?.servers.includes(server) === true);
}

function where({ name, transport }: ProfilePlan): string {
  return `workload.${name}.transport: ${transport}`;
}

/** Whether what some profiles publish can be heard of by those that subscribe. */

export function checkStreams(profiles: readonly ProfilePlan[], scenario: SourcePart): void {
  for (const profile of profiles) {
    const { name, transport } = profile;
    if (!factsOf(transport).ownServer || subscribes(profile) === publishes(profile)) continue;
    const other = profiles.find((one) => one !== profile && (subscribes(profile) ? publishes(one) : subscribes(one)));
    if (other === undefined) continue;
    const [publisher, subscriber] = subscribes(profile) ? [other, profile] : [profile, other];
    const message = `over ${transport} each session has a server of its own, so \`${subscriber.name}\` can never hear of what \`${publisher.name}\` publishes`;
    scenario.reportAtValue(
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

/** Whether each profile can have the way to the target that it asks for: a stickiness of its own, an era of its own. */

/**
 * @param fromCommandLine the target was named on the command line, in place of the scenario's
 * @returns the profiles, without what a target named by hand has no use for
 */
export function checkRoutes(
  target: TargetPlan,
  profiles: readonly ProfilePlan[],
  scenario: SourcePart,
  fromCommandLine: boolean,
  warn: (warning: string) => void,
): readonly ProfilePlan[] {
  return profiles.map((profile) => {
    const { name, transport, sticky, ...rest } = profile;
    if (sticky === undefined) return profile;
    const path = ['workload', name, 'gateway'];
    if (target.kind === 'url' || target.kind === 'command') {
      if (!fromCommandLine)
        scenario.reportAtKey(
          path,
          'CONFLICT',
          '`gateway` is for servers that swarmbench starts, not for a url',
          'take it out',
        );
      else warn(`workload.${name}.gateway of the scenario is not used: the server was named on the command line`);
      return { name, transport, ...rest };
    }
    if (!factsOf(transport).ownStickiness)
      scenario.reportAtKey(
        path,
        'CONFLICT',
        `\`gateway.sticky\` of a profile is for ${transportsWhere((facts) => facts.ownStickiness).join(', ')}, not ${transport}`,
        'take it out',
      );
    return profile;
  });
}
