import { type Plan, type TargetPlan, targetOfProfile, targetsOf } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { faultRefusals } from './faults/injector.js';

/** Why a stack cannot run this plan, one sentence for each reason. Pure. */
export function swarmRefusals(plan: Plan): readonly string[] {
  return [
    ...targetsOf(plan).flatMap(targetRefusals),
    ...armRefusals(plan),
    ...upstreamRefusals(plan),
    ...transportRefusals(plan),
    ...faultRefusals(plan),
  ];
}

function upstreamRefusals({ upstreams }: Plan): readonly string[] {
  return upstreams === undefined
    ? []
    : ['target.upstreams: servers behind a gateway are started on one machine only; run it with --on local'];
}

function targetRefusals(target: TargetPlan): readonly string[] {
  switch (target.kind) {
    case 'reference':
    case 'image':
      return [];
    case 'sink':
      return [
        'target.server: the sink is not part of the stack, because it measures the load generator of one machine; ' +
          'run it with --on local',
      ];
    case 'command':
      return [
        'target.server.command: a server that each session starts for itself is not a service of the stack; run it ' +
          'with --on local',
      ];
    case 'url':
      return target.urls
        .filter((url) => isOwnContainer(new URL(url).hostname))
        .map(
          (url) =>
            `target ${shownUrl(url)}: in a swarm this is each worker's own container; ` +
            'use an address that nodes can reach',
        );
  }
}

function isOwnContainer(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\./.test(host);
}

/** A stack has one service under test: arms may reach it in different ways, and other servers by their URLs. */
function armRefusals(plan: Plan): readonly string[] {
  const services = targetsOf(plan).flatMap((target) =>
    'replicas' in target
      ? [JSON.stringify([target.replicas, target.kind === 'image' ? [target.image, target.port, target.path] : null])]
      : [],
  );
  if (new Set(services).size < 2) return [];
  return [
    'arms with different images or replicas: a stack has one service under test; deploy the others as services of ' +
      'their own and name their URLs (server: { url: ... }), or run replicas of the reference server with --on local',
  ];
}

/** A session over HTTP+SSE is a stream with posts beside it, which the gateway would send to different replicas. */
function transportRefusals(plan: Plan): readonly string[] {
  return plan.profiles
    .filter((profile) => profile.transport === 'sse' && targetOfProfile(plan, profile).kind !== 'url')
    .map(
      ({ name }) =>
        `workload.${name}.transport: sse cannot go through the gateway of the stack; name a server (--target URL), ` +
        'or run it with --on local',
    );
}
