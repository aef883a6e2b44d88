import { describeFault } from '../../../scenarios/schema/faults/fault-kinds.js';
import { formatDuration } from '../../../scenarios/schema/grammar/units.js';
import type { FaultPlan, Plan } from '../../../scenarios/schema/plan.js';
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
  return [...imageRefusals(plan), ...stickinessRefusals(plan), ...plan.faults.map(faultRefusal)];
}

function imageRefusals({ target }: Plan): readonly string[] {
  if (target.kind !== 'image') return [];
  const { image, port, path } = target;
  return [
    `target.server.image: ${image} (port ${port}, path ${path}) needs a swarm: run it with --on swarm, or start it ` +
      `yourself and use --target http://localhost:${port}${path}`,
  ];
}

function faultRefusal(fault: FaultPlan): string {
  const time = `${formatDuration(fault.atMs)} to ${formatDuration(fault.untilMs)}`;
  return `fault ${fault.name} (${describeFault(fault)}, ${time}) needs a swarm: run it with --on swarm`;
}

/** There is no gateway here: clients are spread over the replicas, and each stays at its own for the whole run. */
function stickinessRefusals({ target, profiles }: Plan): readonly string[] {
  if (target.kind === 'url' || target.kind === 'image' || target.kind === 'command') return [];
  const wanted = [
    // The target's own has no effect when every profile has another.
    ...(profiles.some(({ sticky }) => sticky === undefined) ? [['target.gateway.sticky', target.sticky] as const] : []),
    ...profiles.flatMap(({ name, sticky }) =>
      sticky === undefined ? [] : [[`workload.${name}.gateway.sticky`, sticky] as const],
    ),
  ];
  return wanted
    .filter(([, sticky]) => sticky !== 'session' && !(sticky === 'none' && target.replicas === 1))
    .map(
      ([key, sticky]) =>
        `${key}: ${sticky} needs a gateway, and the local platform has none; it keeps each client at one replica ` +
        '(sticky: session)',
    );
}
