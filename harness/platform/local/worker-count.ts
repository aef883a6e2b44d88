/** How many worker processes a plan needs on this machine, and whether it has room for all connections. */
import { activeTogether, connectionsIn, connectionsPerSession } from '../../../scenarios/schema/offered-load.js';
import { type Plan, type ProfilePlan, type TargetPlan, targetsOf } from '../../../scenarios/schema/plan.js';
import { type ConnectionLimit, type ConnectionLimits, readConnectionLimits } from './connection-limits.js';
import { usableCores } from './describe-machine.js';
import { isLoopback } from './source-addresses.js';

export type WorkerCount =
  | {
      readonly kind: 'fits';
      readonly workers: number;
      /** Why there are several; undefined where one is enough, or where the user set the number. */
      readonly why: string | undefined;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * On this machine as it is now.
 * @param given how many workers the user wants; undefined: as many as the plan needs
 */
export function countWorkersHere(plan: Plan, given: number | undefined): WorkerCount {
  const isOurs = targetsOf(plan).some(({ kind }) => kind === 'reference' || kind === 'sink');
  return countWorkers(plan, given, readConnectionLimits(isOurs ? 2 : 1));
}

/** The workers of a plan that is not refused. */
export function workersHere(
  plan: Plan,
  given: number | undefined,
): { readonly workers: number; readonly why?: string } {
  const workerCount = countWorkersHere(plan, given);
  if (workerCount.kind === 'refused') return { workers: given ?? 1 };
  const { workers, why } = workerCount;
  return { workers, ...(why === undefined ? {} : { why }) };
}

/** Engine threads of each worker: one for each core that no target needs, but not more than the worker has clients. */
export function threadsFor(plan: Plan, workers: number, cores: number = usableCores()): number {
  const taken = Math.max(...targetsOf(plan).map((target) => ('replicas' in target ? target.replicas : 1)));
  const clients = activeTogether(plan.profiles).reduce((sum, profile) => sum + profile.clients, 0);
  return Math.max(1, Math.min(Math.floor((cores - taken) / workers), Math.ceil(clients / workers)));
}

/** Pure. @param given as for `countWorkersHere` */
export function countWorkers(plan: Plan, given: number | undefined, limits: ConnectionLimits): WorkerCount {
  const connections = connectionsIn(plan.profiles);
  const refusal =
    refuseByMachine(connections, limits) ??
    targetsOf(plan)
      .map((target) => refuseByTarget(target, connections, limits))
      .find((one) => one !== undefined);
  if (refusal !== undefined) return refusal;
  const { perProcess } = limits;
  const profiles = activeTogether(plan.profiles);
  const needed = workersFor(profiles, perProcess.connections);
  const all = `${whole(connections)} connections`;
  if (needed === undefined) {
    return refused(
      `${all} do not fit into any number of workers: one has room for ${limitText(perProcess)}`,
      'raise that limit',
    );
  }
  if (given === undefined)
    return {
      kind: 'fits',
      workers: needed,
      why: needed === 1 ? undefined : `${all}, and a worker has room for ${limitText(perProcess)}`,
    };
  if (given >= needed) return { kind: 'fits', workers: given, why: undefined };
  const share = whole(largestShare(profiles, given));
  return refused(
    `${given === 1 ? 'one worker' : `each of ${given} workers`} would have ${share} of ${all}, and has room for ` +
      limitText(perProcess),
    `use --workers ${needed}, leave --workers out, or raise that limit`,
  );
}

/** The fewest workers among which the connections fit. */
function workersFor(profiles: readonly ProfilePlan[], perWorker: number): number | undefined {
  const clients = profiles.reduce((sum, profile) => sum + profile.clients, 0);
  for (let workers = 1; workers <= clients; workers++) if (largestShare(profiles, workers) <= perWorker) return workers;
  return undefined;
}

/** Each profile's clients are dealt evenly; a worker counts at least one connection for each, shared or not. */
function largestShare(profiles: readonly ProfilePlan[], workers: number): number {
  return profiles.reduce(
    (sum, profile) => sum + Math.ceil(profile.clients / workers) * Math.max(1, connectionsPerSession(profile)),
    0,
  );
}

function refuseByMachine(connections: number, { total }: ConnectionLimits): WorkerCount | undefined {
  const tight = total.find((bound) => connections > bound.connections);
  return (
    tight &&
    refused(
      `${whole(connections)} connections are more than this machine has room for: ${limitText(tight)}`,
      'use fewer clients, or raise that limit',
    )
  );
}

function refuseByTarget(
  target: TargetPlan,
  connections: number,
  { perProcess, perAddress }: ConnectionLimits,
): WorkerCount | undefined {
  switch (target.kind) {
    case 'command':
    case 'image':
      return undefined;
    case 'url': {
      const addresses = new Set(target.urls.map((url) => new URL(url).host)).size;
      // Connections to loopback may come from as many addresses as needed.
      if (target.urls.every(isLoopback)) return undefined;
      if (perAddress === undefined || connections <= perAddress.connections * addresses) return undefined;
      return refused(
        `${whole(connections)} connections to ${addresses === 1 ? 'one address' : `${addresses} addresses`} of the ` +
          `target: each needs a local port, and to one address there are ${perAddress.limitedBy}`,
        `use ${Math.ceil(connections / perAddress.connections)} addresses of the target (--target URL, repeated), ` +
          'fewer clients, or a wider range: sysctl -w net.ipv4.ip_local_port_range="1024 65535"',
      );
    }
    case 'reference':
    case 'sink': {
      const share = Math.ceil(connections / target.replicas);
      const bound =
        perAddress !== undefined && perAddress.connections < perProcess.connections ? perAddress : perProcess;
      if (share <= bound.connections) return undefined;
      return refused(
        `${target.replicas === 1 ? 'the one replica' : `each of ${target.replicas} replicas`} of the target would ` +
          `have ${whole(share)} of ${whole(connections)} connections, and has room for ${limitText(bound)}`,
        `use --set target.replicas=${Math.ceil(connections / bound.connections)}, or raise that limit`,
      );
    }
  }
}

function refused(problem: string, hint: string): WorkerCount {
  return { kind: 'refused', problem, hint };
}

function limitText({ connections, limitedBy }: ConnectionLimit): string {
  return `${whole(connections)}, limited by ${limitedBy}`;
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}
