import { createServer } from 'node:net';
import type { StackSpec } from '../compose/compose-to-swarm.js';
import { STACK_LABEL } from '../compose/stack-names.js';
import type { Service } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import type { PreflightFinding } from './finding.js';

interface Wanted {
  readonly service: string;
  readonly port: number;
  readonly protocol: string;
  readonly ingress: boolean;
}

/** Finds ports that a service of another stack, a container or a program on this machine already uses. */
export async function checkPorts(
  engine: Engine,
  stack: StackSpec,
  nodes: number,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  const wanted = wantedPorts(stack);
  if (wanted.length === 0) return [];
  const [services, containers] = await Promise.all([engine.services.all(signal), engine.containers.running(signal)]);
  const own = services.filter(({ Spec }) => Spec.Labels[STACK_LABEL] === stack.name).flatMap(publishedBy);
  const others = services.filter(({ Spec }) => Spec.Labels[STACK_LABEL] !== stack.name).flatMap(publishedBy);
  const findings: PreflightFinding[] = [];
  for (const want of wanted) {
    if (own.some((port) => sameAs(port, want))) continue;
    const service = others.find((port) => sameAs(port, want));
    const container = containers.find(
      ({ Labels, Ports }) =>
        Labels['com.docker.swarm.service.id'] === undefined &&
        Ports.some(({ PublicPort, Type }) => PublicPort === want.port && Type === want.protocol),
    );
    const holder = service?.service ?? container?.Names[0]?.replace(/^\//, '');
    if (holder !== undefined)
      findings.push(
        taken(
          want,
          `${service === undefined ? 'container' : 'service'} ${holder}`,
          nodes > 1 && !(want.ingress && service?.ingress === true),
        ),
      );
    else if (nodes === 1 && isOnThisMachine(engine) && want.protocol === 'tcp' && (await isListenedOn(want.port)))
      findings.push(taken(want, 'another program on this machine', false));
  }
  return findings;
}

function wantedPorts({ services }: StackSpec): readonly Wanted[] {
  return services.flatMap(({ Name, EndpointSpec }) =>
    (EndpointSpec.Ports ?? []).flatMap(({ PublishedPort = 0, Protocol = 'tcp', PublishMode = 'ingress' }) =>
      PublishedPort === 0
        ? []
        : [{ service: Name, port: PublishedPort, protocol: Protocol, ingress: PublishMode === 'ingress' }],
    ),
  );
}

function publishedBy({ Spec }: Service): readonly Wanted[] {
  return (Spec.EndpointSpec?.Ports ?? []).map(({ PublishedPort, Protocol, PublishMode }) => ({
    service: Spec.Name,
    port: PublishedPort,
    protocol: Protocol,
    ingress: PublishMode === 'ingress',
  }));
}

function sameAs(a: Wanted, b: Wanted): boolean {
  return a.port === b.port && a.protocol === b.protocol;
}

/** @param perhaps on several nodes, two services may have the same host-mode port on different ones */
function taken({ service, port, protocol }: Wanted, holder: string, perhaps: boolean): PreflightFinding {
  return {
    level: perhaps ? 'warning' : 'problem',
    code: 'PORT_IN_USE',
    message: `${service} publishes port ${port}/${protocol}, which ${holder} uses already`,
    hint: 'stop it, or publish another port',
  };
}

/** The socket of an engine in a namespace of its own is elsewhere. */
function isOnThisMachine({ address }: Engine): boolean {
  return /^unix:\/\/(?:.*\/\.docker\/run|\/var\/run|\/run)\/docker\.sock$/.test(address);
}

function isListenedOn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Only EADDRINUSE counts: a port below 1024 may be refused to us, but not to the engine.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(false)));
  });
}
