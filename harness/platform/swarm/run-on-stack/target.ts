/** The target of a run in the stack: which service it is, and where workers find it. */
import { urlEndpoints } from '../../../../client-sim/protocol/endpoints.js';
import type { Endpoint } from '../../../../client-sim/protocol/messages.js';
import { TARGET_SERVICE } from '../../../../scenarios/schema/keys/fields.js';
import { type Plan, type Stickiness, targetsOf } from '../../../../scenarios/schema/plan.js';
import { factsOf, type OwnServers } from '../../../../scenarios/schema/transports.js';
import type { Reach, Replica } from '../../platform.js';
import type { Service } from '../engine/answers.js';
import type { Stack, StackServices } from '../stack/stack-objects.js';
import { GATEWAY, gatewayUrl } from './gateway.js';
import type { RunningTask } from './running-tasks.js';
import { SwarmPlatformError } from './swarm-platform-error.js';
import { PATH_LABEL, PORT_LABEL, type TargetImage } from './target-image.js';

/** The service that runs the reference server, or the user's image in its place. */
export const TARGET = TARGET_SERVICE;
const LOAD_NETWORK = 'mcp-network';

/**
 * Port for WebSocket and TCP, of the gateway's `stream` frontend inside the stack and of the reference server alike.
 */
const STREAM_PORT = '5555';

export type Target =
  | { readonly kind: 'elsewhere'; readonly endpoints: readonly Endpoint[] }
  | {
      readonly kind: 'service';
      readonly service: Service;
      readonly replicas: number;
      readonly sticky: Stickiness;
      /** Undefined: the stack's own. */
      readonly image: TargetImage | undefined;
      /** Undefined when the stack has none; then clients are spread over the replicas. */
      readonly gateway: Service | undefined;
    };

type ServiceTarget = Extract<Target, { readonly kind: 'service' }>;

/** @throws SwarmPlatformError STACK_INCOMPLETE */
export function targetOf(plan: Plan, services: StackServices, stack: string): Target {
  const { profiles } = plan;
  // Of several arms, all that are in the stack share its one service.
  const target = targetsOf(plan).find((one) => 'replicas' in one) ?? plan.target;
  if (target.kind === 'url') return { kind: 'elsewhere', endpoints: urlEndpoints(target) };
  if (target.kind === 'command')
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      'in a stack, sessions cannot start servers of their own',
      'run it with --on local',
    );
  const service = services.get(TARGET);
  if (service === undefined)
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      `the stack ${stack} has no service ${TARGET} to test`,
      'name a target (--target URL), or deploy a stack that has one',
    );
  const gateway = services.get(GATEWAY);
  const { replicas, sticky } = target;
  if (gateway === undefined && replicas > 1) refuseGatewayStickiness(sticky, profiles, stack);
  const image = target.kind === 'image' ? { image: target.image, port: target.port, path: target.path } : undefined;
  return { kind: 'service', service, replicas, sticky, image, gateway };
}

function refuseGatewayStickiness(sticky: Stickiness, profiles: Plan['profiles'], stack: string): void {
  const wanted = [
    ['target.gateway.sticky', sticky] as const,
    ...profiles.flatMap((profile) =>
      profile.sticky === undefined ? [] : [[`workload.${profile.name}.gateway.sticky`, profile.sticky] as const],
    ),
  ];
  const impossible = wanted.find(([, value]) => value !== 'session');
  if (impossible === undefined) return;
  throw new SwarmPlatformError(
    'STACK_INCOMPLETE',
    `${impossible.join(': ')} needs a gateway, and the stack ${stack} has none`,
    'without a gateway each client stays at one replica (sticky: session)',
  );
}

export function replicasOf(target: Target, tasks: readonly RunningTask[], stack: Stack): readonly Replica[] {
  return target.kind === 'elsewhere' ? [] : replicasOfService(target.service, tasks, stack);
}

export function replicasOfService(service: Service, tasks: readonly RunningTask[], stack: Stack): readonly Replica[] {
  return tasks
    .filter((task) => task.service === TARGET)
    .map(({ slot, task, node, host, addresses }) => {
      const address = addresses.get(`${stack.name}_${LOAD_NETWORK}`) ?? [...addresses.values()][0] ?? host;
      const url = urlAt(`http://${address}:${portOf(service)}`, service);
      return { id: `${TARGET}.${slot}`, node, host, slot, task, url };
    });
}

/**
 * Where clients with this stickiness go. Without a gateway they are spread over the replicas, and each stays at its
 * own.
 */
export function reach(
  target: Target,
  replicas: readonly Replica[],
  sticky: Stickiness,
  { profiles }: Pick<Plan, 'profiles'>,
): Reach {
  if (target.kind === 'elsewhere') return { endpoints: target.endpoints };
  const web = reachOverHttp(target, replicas, sticky);
  const own = [...new Set(profiles.map(({ transport }) => transport))].flatMap((name) => factsOf(name).own ?? []);
  const rest = own
    .filter(({ listener }) => listener === 'stream')
    .flatMap((transport) => streamEndpoints(transport, target, replicas));
  // A connection through the gateway stays at its replica, so only HTTP needs other addresses for the preflight.
  return {
    endpoints: [...web.endpoints, ...rest],
    ...(web.preflightEndpoints === undefined ? {} : { preflightEndpoints: [...web.preflightEndpoints, ...rest] }),
  };
}

/** The gateway has a port of its own for connections; each goes to one replica and stays there. */
function streamEndpoints(
  { scheme, path }: OwnServers,
  { service, gateway }: ServiceTarget,
  replicas: readonly Replica[],
): readonly Endpoint[] {
  const url = (host: string): string => {
    const origin = `${scheme}//${host}:${STREAM_PORT}`;
    return path === '' ? origin : urlAt(origin, service);
  };
  if (gateway !== undefined) return [{ url: url(new URL(gatewayUrl()).hostname), headers: {} }];
  return replicas.map(({ url: web, host, id }) => ({
    url: url(new URL(web).hostname),
    headers: {},
    replica: host ?? id,
  }));
}

function reachOverHttp(target: ServiceTarget, replicas: readonly Replica[], sticky: Stickiness): Reach {
  if (target.gateway === undefined)
    return { endpoints: replicas.map(({ url, host, id }) => ({ url, headers: {}, replica: host ?? id })) };
  const url = urlAt(gatewayUrl(sticky === target.sticky ? undefined : sticky), target.service);
  const endpoints = [{ url, headers: {}, ...(sticky === 'cookie' ? { cookies: true } : {}) }];
  const [first, ...others] = replicas;
  // The address of one replica, because the gateway would send each request to another.
  return sticky === 'none' && first !== undefined && others.length > 0
    ? { endpoints, preflightEndpoints: [{ url: first.url, headers: {} }] }
    : { endpoints };
}

function portOf({ Spec }: Service): string {
  return Spec.Labels[PORT_LABEL] ?? '3000';
}

function urlAt(origin: string, { Spec }: Service): string {
  return new URL(Spec.Labels[PATH_LABEL] ?? '/mcp', origin).href;
}
