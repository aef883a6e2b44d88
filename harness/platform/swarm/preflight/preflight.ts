/** Finds what would keep a stack from coming up, before anything is created. */
import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { EngineInfo, SwarmNode } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import type { RegistryAuth } from '../images/registry-auth.js';
import { checkImages } from './check-images.js';
import { checkKernel } from './check-kernel.js';
import { checkPorts } from './check-ports.js';
import type { PreflightFinding } from './finding.js';

interface PreflightOptions {
  readonly registryAuth: RegistryAuth;
  /** Image in which the kernel is tested; undefined: it is tested from outside, if that is possible. */
  readonly trialImage: string | undefined;
}

/** Problems come first. @throws EngineError when the engine does not answer */
export async function preflight(
  engine: Engine,
  stack: StackSpec,
  { registryAuth, trialImage }: PreflightOptions,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  const info = await engine.info(signal);
  const noManager = managerProblem(info, engine.address);
  if (noManager !== undefined) return [noManager];
  const nodes = await engine.nodes.all(signal);
  const usable = nodes.filter(({ Spec, Status }) => Status.State === 'ready' && Spec.Availability === 'active');
  const [ports, kernel, images] = await Promise.all([
    checkPorts(engine, stack, usable.length, signal),
    checkKernel(engine, stack, trialImage, signal),
    checkImages(engine, stack, usable.length, registryAuth, signal),
  ]);
  const findings = [...nodeFindings(nodes, usable), ...ports, ...images, ...kernel];
  return ['problem', 'warning'].flatMap((level) => findings.filter((finding) => finding.level === level));
}

function managerProblem({ Swarm }: EngineInfo, address: string): PreflightFinding | undefined {
  if (Swarm.ControlAvailable) return undefined;
  const problem = (message: string, hint: string): PreflightFinding => ({
    level: 'problem',
    code: 'NOT_A_MANAGER',
    message: `the engine at ${address} ${message}`,
    hint,
  });
  switch (Swarm.LocalNodeState) {
    case 'active':
      return problem(
        'is a worker of its swarm',
        'point DOCKER_HOST at a manager, or promote this node: docker node promote',
      );
    case 'locked':
      return problem('is locked', 'docker swarm unlock');
    case 'inactive':
      return problem('is in no swarm', 'docker swarm init creates a swarm of one node');
    default:
      return problem(
        `is in a swarm that is ${Swarm.LocalNodeState}${Swarm.Error === '' ? '' : ` (${Swarm.Error})`}`,
        'docker info shows more; docker swarm leave --force leaves the swarm',
      );
  }
}

function nodeFindings(nodes: readonly SwarmNode[], usable: readonly SwarmNode[]): readonly PreflightFinding[] {
  if (usable.length === 0) {
    return [
      {
        level: 'problem',
        code: 'NO_NODE',
        message: `none of the ${nodes.length} nodes takes tasks`,
        hint: 'docker node ls; docker node update --availability active NODE',
      },
    ];
  }
  return nodes
    .filter((node) => !usable.includes(node))
    .map(({ Description, Spec, Status }) => {
      const state = Status.State === 'ready' ? Spec.Availability : Status.State;
      const message = `node ${Description.Hostname} takes no tasks: it is ${state}`;
      return { level: 'warning', code: 'NODE_UNUSED', message, hint: undefined };
    });
}
