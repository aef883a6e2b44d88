import type { Plan, TargetPlan } from '../../../scenarios/schema/plan.js';
import { factsOf } from '../../../scenarios/schema/transports.js';
import { faultRefusals } from './faults/injector.js';

/** What the stack cannot do of a plan, by name. Pure. */
export function refusals(plan: Plan): readonly string[] {
  return [...targetRefusals(plan.target), ...transportRefusals(plan), ...faultRefusals(plan)];
}

function transportRefusals({ target, profiles }: Plan): readonly string[] {
  if (target.kind === 'url') return [];
  return profiles.flatMap(({ name, transport }) => {
    const gateway = factsOf(transport).own?.gateway;
    return typeof gateway !== 'object'
      ? []
      : [
          `workload.${name}.transport: ${transport} does not work in a stack: ${gateway.refused}; ` +
            'name a server (--target URL), or run it with --on local',
        ];
  });
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
