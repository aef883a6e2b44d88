/** Whether every profile can reach the target by its transport, and every part of the target is of use to one. */
import type { ProfilePlan, TargetPlan } from '../plan.js';
import { canReach, factsOf, transportNames } from '../transports.js';
import type { Part } from './context.js';

export function checkTransports(target: TargetPlan, profiles: readonly ProfilePlan[], scenario: Part): void {
  for (const profile of profiles) {
    checkReach(target, profile, scenario);
    const { eras, oneConnection } = factsOf(profile.transport);
    if (oneConnection && profile.sticky !== undefined) {
      scenario.wrongValue(
        ['workload', profile.name, 'gateway'],
        'CONFLICT',
        `a session over ${profile.transport} is one connection, which stays at its replica whatever \`gateway.sticky\` says`,
        'take `gateway` out of the profile',
      );
    }
    const era = profile.era ?? target.era;
    if (era !== 'auto' && !eras.includes(era)) {
      scenario.wrongValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} does not exist in the ${era} era that ${profile.era === undefined ? 'target.era' : 'its `era`'} asks for`,
        `use era: auto or ${eras.join(', ')}`,
      );
    }
  }
  if (target.kind === 'url') checkUse(target, profiles, scenario);
}

function checkReach(target: TargetPlan, profile: ProfilePlan, scenario: Part): void {
  const { schemes, servers } = factsOf(profile.transport);
  if (target.kind === 'command') {
    if (profile.transport !== 'stdio')
      scenario.wrongValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} starts no server, and the target is a command`,
        `choose: --set workload.${profile.name}.transport=stdio`,
      );
    return;
  }
  if (target.kind === 'image') {
    if (!schemes.includes('http:'))
      scenario.wrongValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} does not go through the gateway to an image, which takes http`,
        'leave `transport` out',
      );
    return;
  }
  if (target.kind !== 'url') {
    if (!servers.includes(target.kind))
      scenario.wrongValue(
        ['workload', profile.name],
        'CONFLICT',
        `${where(profile)} is not spoken by the server \`${target.kind}\``,
        `transports of its own: ${spokenBy(target.kind).join(', ')}`,
      );
    return;
  }
  if (schemes.length === 0) {
    scenario.wrongValue(
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
  scenario.wrongValue(
    ['workload', profile.name],
    'CONFLICT',
    message,
    `name such a url, or choose: --set workload.${profile.name}.transport=${fitting.join(' or ')}`,
  );
}

function checkUse(
  target: Extract<TargetPlan, { kind: 'url' }>,
  profiles: readonly ProfilePlan[],
  scenario: Part,
): void {
  const used = [...new Set(profiles.map(({ transport }) => transport))];
  for (const url of target.urls) {
    if (used.length === 0 || used.some((name) => canReach(name, url))) continue;
    scenario.wrongValue(
      ['target', 'server', 'url'],
      'CONFLICT',
      `no profile reaches ${url}: their transports are ${used.join(', ')}`,
      'take it out, or give a profile its transport',
    );
  }
  const extra = Object.keys(target.headers).length > 0 ? 'headers' : target.tokens === undefined ? undefined : 'auth';
  if (extra !== undefined && used.length > 0 && !used.some((name) => factsOf(name).headers)) {
    scenario.wrongValue(
      ['target', extra],
      'CONFLICT',
      `${extra === 'auth' ? 'tokens' : 'headers'} have no place in ${used.join(', ')}`,
      'take them out',
    );
  }
}

function spokenBy(server: 'reference' | 'sink'): readonly string[] {
  return transportNames.filter((name) => factsOf(name).servers.includes(server));
}

function where({ name, transport }: ProfilePlan): string {
  return `workload.${name}.transport: ${transport}`;
}
