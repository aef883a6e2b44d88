/** Checks between the target and the profiles: transports, streams, and routes through the gateway. */

import type { ProfilePlan, TargetPlan } from '../plan.js';
import { shownUrl } from '../redact.js';
import type { SourcePart } from '../source-part.js';
import { canReach, factsOf, type TransportFacts, transportNames, transportsWhere } from '../transports.js';
import { SUBSCRIBE } from './stream.js';

/** Checks that every profile can reach the target over its transport, and that each URL is used by some profile. */
export function checkTransports(target: TargetPlan, profiles: readonly ProfilePlan[], scenarioPart: SourcePart): void {
  for (const profile of profiles) {
    checkReach(target, profile, scenarioPart);
    checkOneConnection(profile, scenarioPart);
    checkEra(target, profile, scenarioPart);
  }
  if (target.kind === 'url') checkUse(target, profiles, scenarioPart);
}

function checkReach(target: TargetPlan, profile: ProfilePlan, scenarioPart: SourcePart): void {
  const problem = reachProblem(target, profile);
  if (problem === undefined) return;
  const [message, hint] = problem;
  scenarioPart.reportAtValue(['workload', profile.name], 'CONFLICT', `${keyOf(profile)} ${message}`, hint);
}

/** What comes after `workload.x.transport: tcp`, and a hint. */
function reachProblem(
  target: TargetPlan,
  { name, transport }: ProfilePlan,
): readonly [message: string, hint: string] | undefined {
  const { schemes, own, ownServer } = factsOf(transport);
  const choose = (names: readonly string[]) => `choose: --set workload.${name}.transport=${names.join(' or ')}`;
  switch (target.kind) {
    case 'command':
      if (ownServer) return undefined;
      return ['starts no server, and the target is a command', choose(transportsWhere((facts) => facts.ownServer))];
    case 'image':
      if (own?.listener === 'http') return undefined;
      return ['does not go through the gateway to an image, which speaks http', 'leave `transport` out'];
    case 'reference':
    case 'sink':
      if (speaks(own, target.kind)) return undefined;
      return [
        `is not spoken by the server \`${target.kind}\``,
        `its transports: ${transportsWhere((facts) => speaks(facts.own, target.kind)).join(', ')}`,
      ];
    case 'url': {
      const { urls } = target;
      if (ownServer)
        return [
          `starts a server of its own for each session, and the target is ${urls.map(shownUrl).join(', ')}`,
          'name the command: target.server.command',
        ];
      if (urls.some((url) => canReach(transport, url))) return undefined;
      const fitting = transportNames.filter((other) => urls.some((url) => canReach(other, url)));
      return [
        `needs a url of ${schemes.join(' or ')}, and the target is ${urls.map(shownUrl).join(', ')}`,
        `name such a url, or ${choose(fitting)}`,
      ];
    }
  }
}

function speaks(own: TransportFacts['own'], server: 'reference' | 'sink'): boolean {
  return own?.servers.includes(server) === true;
}

function checkOneConnection({ name, transport, sticky }: ProfilePlan, scenarioPart: SourcePart): void {
  if (sticky === undefined || !factsOf(transport).oneConnection) return;
  scenarioPart.reportAtValue(
    ['workload', name, 'gateway'],
    'CONFLICT',
    `a session over ${transport} is one connection, which stays at its replica without \`gateway.sticky\``,
    'remove `gateway` from the profile',
  );
}

function checkEra(target: TargetPlan, profile: ProfilePlan, scenarioPart: SourcePart): void {
  const { eras } = factsOf(profile.transport);
  const era = profile.era ?? target.era;
  if (era === 'auto' || eras.includes(era)) return;
  const asking = profile.era === undefined ? 'target.era' : 'its `era`';
  scenarioPart.reportAtValue(
    ['workload', profile.name],
    'CONFLICT',
    `${keyOf(profile)} does not exist in the ${era} era, which ${asking} asks for`,
    `use era: auto or ${eras.join(', ')}`,
  );
}

function checkUse(
  target: Extract<TargetPlan, { kind: 'url' }>,
  profiles: readonly ProfilePlan[],
  scenarioPart: SourcePart,
): void {
  const used = [...new Set(profiles.map(({ transport }) => transport))];
  if (used.length === 0) return;
  for (const url of target.urls) {
    if (used.some((name) => canReach(name, url))) continue;
    scenarioPart.reportAtValue(
      ['target', 'server', 'url'],
      'CONFLICT',
      `no profile reaches ${shownUrl(url)}: their transports are ${used.join(', ')}`,
      'remove it, or give a profile its transport',
    );
  }
  if (used.some((name) => factsOf(name).headers)) return;
  const hasHeaders = Object.keys(target.headers).length > 0;
  if (!hasHeaders && target.tokens === undefined) return;
  scenarioPart.reportAtValue(
    ['target', hasHeaders ? 'headers' : 'auth'],
    'CONFLICT',
    `${used.join(', ')} cannot carry ${hasHeaders ? 'headers' : 'tokens'}`,
    'remove them',
  );
}

function keyOf({ name, transport }: ProfilePlan): string {
  return `workload.${name}.transport: ${transport}`;
}

/** Checks that profiles which subscribe can receive what other profiles publish. */
export function checkStreams(profiles: readonly ProfilePlan[], scenarioPart: SourcePart): void {
  for (const profile of profiles) {
    const { name, transport } = profile;
    if (!factsOf(transport).ownServer || subscribes(profile) === publishes(profile)) continue;
    const other = profiles.find((one) => one !== profile && (subscribes(profile) ? publishes(one) : subscribes(one)));
    if (other === undefined) continue;
    const [publisher, subscriber] = subscribes(profile) ? [other, profile] : [profile, other];
    scenarioPart.reportAtValue(
      ['workload', name],
      'CONFLICT',
      `over ${transport} each session has a server of its own, so \`${subscriber.name}\` can never receive what ` +
        `\`${publisher.name}\` publishes`,
      'let both reach one server over another transport, or give one profile both operations: ' +
        'each of its clients then receives its own publications',
    );
  }
}

function subscribes({ operations }: ProfilePlan): boolean {
  return operations.some(({ method }) => method === SUBSCRIBE);
}

function publishes({ operations }: ProfilePlan): boolean {
  return operations.some(({ stamped }) => stamped === true);
}

/**
 * Checks that each profile can have the route through the gateway that it asks for.
 * @param fromCommandLine the command line named the target, in place of the scenario's
 * @returns the profiles, without the stickiness that a target from the command line cannot use
 */
export function checkRoutes(
  target: TargetPlan,
  profiles: readonly ProfilePlan[],
  scenarioPart: SourcePart,
  fromCommandLine: boolean,
  warn: (warning: string) => void,
): readonly ProfilePlan[] {
  return profiles.map((profile) => {
    const { name, transport, sticky, ...rest } = profile;
    if (sticky === undefined) return profile;
    const path = ['workload', name, 'gateway'];
    if (target.kind === 'url' || target.kind === 'command') {
      if (fromCommandLine)
        warn(`workload.${name}.gateway of the scenario is not used, because the command line names the server`);
      else
        scenarioPart.reportAtKey(
          path,
          'CONFLICT',
          '`gateway` is for servers that swarmbench starts, not for a url',
          'remove it',
        );
      return { name, transport, ...rest };
    }
    if (!factsOf(transport).ownStickiness)
      scenarioPart.reportAtKey(
        path,
        'CONFLICT',
        `\`gateway.sticky\` of a profile is for ${transportsWhere((facts) => facts.ownStickiness).join(', ')}, ` +
          `not ${transport}`,
        'remove it',
      );
    return profile;
  });
}
