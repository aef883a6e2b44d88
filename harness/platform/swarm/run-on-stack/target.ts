/** The target of a run in the stack: which service it is, and where workers find it. */

import { urlEndpoints } from '../../../../client-sim/protocol/endpoints.js';
import type { Endpoint } from '../../../../client-sim/protocol/messages.js';
import { TARGET_SERVICE } from '../../../../scenarios/schema/keys/fields.js';
import type { Plan, Stickiness } from '../../../../scenarios/schema/plan.js';
import { factsOf, type OwnServers } from '../../../../scenarios/schema/transports.js';
import type { Environment, Replica } from '../../platform.js';
import type { Service } from '../engine/answers.js';
import type { Stack, StackServices } from '../stack/stack-objects.js';
import { GATEWAY, gatewayUrl } from './gateway.js';
import type { RunningTask } from './running-tasks.js';
import { SwarmPlatformError } from './swarm-platform-error.js';
import { PATH_LABEL, PORT_LABEL, type TargetImage } from './target-image.js';

/** The reference server, or the user's image in its place. */
export const TARGET = TARGET_SERVICE;
const LOAD_NETWORK = 'mcp-network';

/** Of the gateway's `stream` frontend inside the stack, and of the reference server, for WebSocket and lines. */
const STREAM_PORT = '5555';

export type Target =
  | { readonly kind: 'elsewhere'; readonly endpoints: readonly Endpoint[] }
  | {
      readonly kind: 'service';
      readonly service: Service;
      readonly replicas: number;
      readonly sticky: Stickiness /** Undefined: the stack's own. */;
      readonly image:
        | TargetImage
        | undefined /** Undefined: there is none, and clients are spread over the replicas. */;
      readonly gateway: Service | undefined;
    };

/** @throws SwarmPlatformError STACK_INCOMPLETE */
export function targetOf({ target, profiles }: Plan, services: StackServices, stack: string): Target {
  if (target.kind === 'url') return { kind: 'elsewhere', endpoints: urlEndpoints(target) };
  if (target.kind === 'command')
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      'a stack has no place for servers that sessions start',
      'run it with --on local',
    );
  const service = services.get(TARGET);
  if (service === undefined)
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      `the stack ${stack} has no service ${TARGET} to put under load`,
      'name a target (--target URL), or deploy a stack that has one',
    );
  const gateway = services.get(GATEWAY);
  const { replicas, sticky } = target;
  const asked = [
    ['target.gateway.sticky', sticky] as const,
    ...profiles.flatMap((profile) =>
      profile.sticky === undefined ? [] : [[`workload.${profile.name}.gateway.sticky`, profile.sticky] as const],
    ),
  ];
  const impossible =
    gateway === undefined && replicas > 1 ? asked.find(([, wanted]) => wanted !== 'session') : undefined;
  if (impossible !== undefined) {
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      `${impossible.join(': ')} needs a gateway, which the stack ${stack} has not`,
      'without one each client stays at one replica (sticky: session)',
    );
  }
  const image = target.kind === 'image' ? { image: target.image, port: target.port, path: target.path } : undefined;
  return { kind: 'service', service, replicas, sticky, image, gateway };
}

export function replicasOf(target: Target, tasks: readonly RunningTask[], stack: Stack): readonly Replica[] {
  return target.kind === 'elsewhere' ? [] : replicasOfService(target.service, tasks, stack);
}

export function replicasOfService(service: Service, tasks: readonly RunningTask[], stack: Stack): readonly Replica[] {
  return tasks
    .filter((task) => task.service === TARGET)
    .map(({ slot, task, node, host, addresses }) => ({
      id: `${TARGET}.${slot}`,
      node,
      host,
      slot,
      task,
      url: urlAt(
        `http://${addresses.get(`${stack.name}_${LOAD_NETWORK}`) ?? [...addresses.values()][0] ?? host}:${portOf(service)}`,
        service,
      ),
    }));
}

/**
 * Where clients go that are kept at their replicas in this way; without a gateway they are spread over the replicas,
 * and stay.
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
  // Connections through the gateway stay where they are: only requests of their own need another address for the
  // preflight.
  return {
    endpoints: [...web.endpoints, ...rest],
    ...(web.preflightEndpoints === undefined ? {} : { preflightEndpoints: [...web.preflightEndpoints, ...rest] }),
  };
}

type Reach = Pick<Environment, 'endpoints' | 'preflightEndpoints'>;

/** The gateway has a door of its own for connections; each goes to one replica and stays there. */
function streamEndpoints(
  { scheme, path }: OwnServers,
  { service, gateway }: Extract<Target, { kind: 'service' }>,
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

function reachOverHttp(
  target: Extract<Target, { kind: 'service' }>,
  replicas: readonly Replica[],
  sticky: Stickiness,
): Reach {
  if (target.gateway === undefined)
    return { endpoints: replicas.map(({ url, host, id }) => ({ url, headers: {}, replica: host ?? id })) };
  const url = urlAt(gatewayUrl(sticky === target.sticky ? undefined : sticky), target.service);
  const endpoints = [{ url, headers: {}, ...(sticky === 'cookie' ? { cookies: true } : {}) }];
  const [first, ...others] = replicas;
  // One replica's own address where the gateway sends each request to another one.
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
