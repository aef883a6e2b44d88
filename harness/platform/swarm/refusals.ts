import type { Plan, TargetPlan } from '../../../scenarios/schema/plan.js';
import { faultRefusals } from './faults/injector.js';

/** What the stack cannot do of a plan, by name. Pure. */
export function refusals(plan: Plan): readonly string[] {
  return [...targetRefusals(plan.target), ...transportRefusals(plan), ...faultRefusals(plan)];
}

/** A session over HTTP+SSE is a stream and posts beside it: the gateway would send them to different replicas. */
function transportRefusals({ target, profiles }: Plan): readonly string[] {
  if (target.kind === 'url') return [];
  return profiles
    .filter(({ transport }) => transport === 'sse')
    .map(
      ({ name }) =>
        `workload.${name}.transport: sse cannot go through the gateway of the stack; name a server (--target URL), or run it with --on local`,
    );
}

function targetRefusals(target: TargetPlan): readonly string[] {
  switch (target.kind) {
    case 'reference':
    case 'image':
      return [];
    case 'sink':
      return [
        'target.server: sink is not part of the stack; it measures the generator of one machine: run it with --on local',
      ];
    case 'command':
      return [
        'target.server.command: a server that each session starts for itself has no service to scale or to break; run it with --on local',
      ];
    case 'url':
      return target.urls
        .filter((url) => isLoopback(new URL(url).hostname))
        .map(
          (url) =>
            `target ${url}: in a swarm this is each worker's own container; name an address that the nodes can reach`,
        );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\./.test(host);
}
