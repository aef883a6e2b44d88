import type { Plan, TargetPlan } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { faultRefusals } from './faults/injector.js';

/** Why a stack cannot run this plan, one sentence for each reason. Pure. */
export function swarmRefusals(plan: Plan): readonly string[] {
  return [...targetRefusals(plan.target), ...transportRefusals(plan), ...faultRefusals(plan)];
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

/** A session over HTTP+SSE is a stream with posts beside it, which the gateway would send to different replicas. */
function transportRefusals({ target, profiles }: Plan): readonly string[] {
  if (target.kind === 'url') return [];
  return profiles
    .filter(({ transport }) => transport === 'sse')
    .map(
      ({ name }) =>
        `workload.${name}.transport: sse cannot go through the gateway of the stack; name a server (--target URL), ` +
        'or run it with --on local',
    );
}
