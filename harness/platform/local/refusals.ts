import { describeFault } from '../../../scenarios/schema/faults/fault-kinds.js';
import type { FaultTarget } from '../../../scenarios/schema/faults/fault-targets.js';
import { formatDuration } from '../../../scenarios/schema/grammar/units.js';
import { TARGET_SERVICE } from '../../../scenarios/schema/keys/fields.js';
import {
  type FaultPlan,
  type Plan,
  type TargetPlan,
  targetOfProfile,
  targetsOf,
} from '../../../scenarios/schema/plan.js';
import { countWorkersHere } from './worker-count.js';

/**
 * Parts of a plan that the local platform cannot do, one sentence each, with too many connections for this machine
 * among them.
 * @param workers how many the user wants; undefined: as many as the plan needs
 */
export function localRefusals(plan: Plan, workers: number | undefined): readonly string[] {
  const workerCount = countWorkersHere(plan, workers);
  const problems = workerCount.kind === 'refused' ? [`${workerCount.problem}: ${workerCount.hint}`] : [];
  return [...planRefusals(plan), ...problems];
}

/** The same on every machine. Pure. */
export function planRefusals(plan: Plan): readonly string[] {
  return [
    ...targetsOf(plan).flatMap(imageRefusals),
    ...stickinessRefusals(plan),
    ...plan.faults.flatMap((fault) => faultRefusal(fault, plan) ?? []),
  ];
}

function imageRefusals(target: TargetPlan): readonly string[] {
  if (target.kind !== 'image') return [];
  const { image, port, path } = target;
  return [
    `target.server.image: ${image} (port ${port}, path ${path}) needs a swarm: run it with --on swarm, or start it ` +
      `yourself and use --target http://localhost:${port}${path}`,
  ];
}

/** Why a fault cannot be injected here; undefined when it can. */
function faultRefusal(fault: FaultPlan, { target }: Plan): string | undefined {
  const why = whyNotHere(fault, target);
  if (why === undefined) return undefined;
  const time = `${formatDuration(fault.atMs)} to ${formatDuration(fault.untilMs)}`;
  return `fault ${fault.name} (${describeFault(fault)}, ${time}) ${why}`;
}

const NEEDS_SWARM = 'needs a swarm: run it with --on swarm';

function whyNotHere(fault: FaultPlan, target: TargetPlan): string | undefined {
  switch (fault.kind) {
    case 'kill':
    case 'stop':
    case 'pause':
    case 'restart':
    case 'partition':
    case 'delay':
    case 'rate':
    case 'reset':
      return whyNotStruck(fault.target, fault.allowTotal === true, target);
    case 'scale':
      return whyNotScaled(fault, target);
    case 'loss':
      return (
        'loses packets, and the proxies of this platform see connections only: run it with --on swarm, ' +
        'or use kind partition, delay or reset'
      );
    default:
      return NEEDS_SWARM;
  }
}

function whyNotStruck(struck: FaultTarget, allowTotal: boolean, target: TargetPlan): string | undefined {
  if (struck.at === 'node' || struck.at === 'leader') return NEEDS_SWARM;
  if (struck.at === 'gateway') return 'needs a gateway, and the local platform has none: run it with --on swarm';
  if (target.kind === 'url' || target.kind === 'image' || target.kind === 'command') return whyNotOurs(target);
  if (struck.at === 'serving' && target.replicas === 1 && !allowTotal)
    return 'would strike the only replica: give the target more (target.replicas), or say allowTotal: true';
  return undefined;
}

function whyNotScaled(
  { service, replicas }: Extract<FaultPlan, { readonly kind: 'scale' }>,
  target: TargetPlan,
): string | undefined {
  if (service !== TARGET_SERVICE) return NEEDS_SWARM;
  if (target.kind === 'url' || target.kind === 'image' || target.kind === 'command') return whyNotOurs(target);
  if (replicas <= target.replicas) return undefined;
  return (
    `needs a gateway: clients are spread over the ${target.replicas} replicas when the run starts, so replicas that ` +
    'come later would get no load; run it with --on swarm'
  );
}

function whyNotOurs({ kind }: TargetPlan): string {
  if (kind === 'image') return NEEDS_SWARM;
  return `strikes replicas that swarmbench starts, and the target is a ${kind === 'url' ? 'URL' : 'command'}`;
}

/** There is no gateway here: clients are spread over the replicas, and each stays at its own for the whole run. */
function stickinessRefusals(plan: Plan): readonly string[] {
  const wanted = plan.profiles.flatMap((profile) => {
    const target = targetOfProfile(plan, profile);
    if (!('replicas' in target) || target.kind === 'image') return [];
    const { name, sticky = target.sticky } = profile;
    // The target's own has no effect when every profile has another.
    const key = profile.sticky === undefined ? keyOfTarget(profile.arm) : `workload.${name}.gateway.sticky`;
    return [{ key, sticky, replicas: target.replicas }];
  });
  const refusals = wanted
    .filter(({ sticky, replicas }) => sticky !== 'session' && !(sticky === 'none' && replicas === 1))
    .map(
      ({ key, sticky }) =>
        `${key}: ${sticky} needs a gateway, and the local platform has none; it keeps each client at one replica ` +
        '(sticky: session)',
    );
  return [...new Set(refusals)];
}

function keyOfTarget(arm: string | undefined): string {
  return arm === undefined ? 'target.gateway.sticky' : `arms.${arm}.gateway.sticky`;
}
