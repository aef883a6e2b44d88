/** How many worker processes a plan takes here, and whether its connections find room at all. Pure. */
import { connectionsIn, connectionsPerSession } from '../../../scenarios/schema/offered-load.js';
import type { Plan, ProfilePlan } from '../../../scenarios/schema/plan.js';
import type { ConnectionLimit, ConnectionLimits } from './connection-limits.js';
import { isLoopback } from './source-addresses.js';

export type WorkerCount =
  | {
      readonly kind: 'fits';
      readonly workers: number;
      /** Why there are several; undefined where one is enough, or somebody said how many. */
      readonly why: string | undefined;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** @param given how many workers; undefined: as many as the plan's connections need */
export function countWorkers(plan: Plan, given: number | undefined, limits: ConnectionLimits): WorkerCount {
  const connections = connectionsIn(plan.profiles);
  const refusal = refuseInAll(connections, limits) ?? refuseAtTarget(plan, connections, limits);
  if (refusal !== undefined) return refusal;
  const { perProcess } = limits;
  const needed = enough(plan.profiles, perProcess.connections);
  const all = `${whole(connections)} connections`;
  if (needed === undefined) {
    return refused(
      `${all} do not fit into any number of workers: one has room for ${fits(perProcess)}`,
      'raise that limit',
    );
  }
  if (given === undefined)
    return {
      kind: 'fits',
      workers: needed,
      why: needed === 1 ? undefined : `${all}, and a worker has room for ${fits(perProcess)}`,
    };
  if (given >= needed) return { kind: 'fits', workers: given, why: undefined };
  const share = whole(largestShare(plan.profiles, given));
  return refused(
    `${given === 1 ? 'one worker' : `each of ${given} workers`} would hold ${share} of ${all}, and has room for ${fits(perProcess)}`,
    `--workers ${needed}, or none: then there are enough; or raise that limit`,
  );
}

/** Fewest workers whose largest share fits. */
function enough(profiles: readonly ProfilePlan[], limits: number): number | undefined {
  const clients = profiles.reduce((sum, profile) => sum + profile.clients, 0);
  for (let workers = 1; workers <= clients; workers++) if (largestShare(profiles, workers) <= limits) return workers;
  return undefined;
}

/** Clients are dealt like cards, each profile's evenly; a worker counts a connection for each, shared or not. */
function largestShare(profiles: readonly ProfilePlan[], workers: number): number {
  return profiles.reduce(
    (sum, profile) => sum + Math.ceil(profile.clients / workers) * Math.max(1, connectionsPerSession(profile)),
    0,
  );
}

function refuseInAll(connections: number, { inAll }: ConnectionLimits): WorkerCount | undefined {
  const tight = inAll.find((bound) => connections > bound.connections);
  return (
    tight &&
    refused(
      `${whole(connections)} connections are more than this machine has room for: ${fits(tight)}`,
      'use fewer clients, or raise that limit',
    )
  );
}

function refuseAtTarget(
  { target }: Plan,
  connections: number,
  { perProcess, perAddress }: ConnectionLimits,
): WorkerCount | undefined {
  switch (target.kind) {
    case 'command':
    case 'image':
      return undefined;
    case 'url': {
      const addresses = new Set(target.urls.map((url) => new URL(url).host)).size;
      // From as many addresses of loopback as it takes.
      if (target.urls.every(isLoopback)) return undefined;
      if (perAddress === undefined || connections <= perAddress.connections * addresses) return undefined;
      return refused(
        `${whole(connections)} connections to ${addresses === 1 ? 'one address' : `${addresses} addresses`} of the target: each takes a local port, and to one address there are ${perAddress.of}`,
        `${Math.ceil(connections / perAddress.connections)} addresses of the target (--target URL, repeated), fewer clients, or a wider range: sysctl -w net.ipv4.ip_local_port_range="1024 65535"`,
      );
    }
    case 'reference':
    case 'sink': {
      const share = Math.ceil(connections / target.replicas);
      const bound =
        perAddress !== undefined && perAddress.connections < perProcess.connections ? perAddress : perProcess;
      if (share <= bound.connections) return undefined;
      return refused(
        `${target.replicas === 1 ? 'the one replica' : `each of ${target.replicas} replicas`} of the target would hold ${whole(share)} of ${whole(connections)} connections, and has room for ${fits(bound)}`,
        `--set target.replicas=${Math.ceil(connections / bound.connections)}, or raise that limit`,
      );
    }
  }
}

function refused(problem: string, hint: string): WorkerCount {
  return { kind: 'refused', problem, hint };
}
function fits({ connections, of }: ConnectionLimit): string {
  return `${whole(connections)}, of ${of}`;
}
function whole(count: number): string {
  return count.toLocaleString('en-US');
}
