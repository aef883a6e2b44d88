/** A service of the stack has another number of replicas for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeFault } from '../../../../scenarios/schema/faults/fault-kinds.js';
import type { FaultPlan } from '../../../../scenarios/schema/plan.js';
import type { FaultEffect } from '../../platform.js';
import type { Service } from '../engine/answers.js';
import { GATEWAY, serversUp } from '../run-on-stack/gateway.js';
import { runningTasks } from '../run-on-stack/running-tasks.js';
import { withReplicas } from '../run-on-stack/scale-for-run.js';
import { SwarmPlatformError } from '../run-on-stack/swarm-platform-error.js';
import { replicasOfService, TARGET } from '../run-on-stack/target.js';
import { StackError } from '../stack/stack-error.js';
import { type Stack, type StackServices, servicesOf } from '../stack/stack-objects.js';
import type { FaultAction } from './fault-action.js';

type Scale = Extract<FaultPlan, { readonly kind: 'scale' }>;

const LOOK_MS = 250;
/**
 * Without these there is nobody to conduct the run, to make its load, or to send it on; how many workers there are is
 * the run's own.
 */
const NOT_SCALED = /^(?:harness|gateway|client-sim-.+)$/;

const before = z.object({ replicas: z.number().int() });

export const scale: FaultAction<Scale> = {
  refusal(fault, { target }) {
    const { service } = fault;
    const what = `fault ${describeFault(fault)}`;
    if (NOT_SCALED.test(service))
      return `${what}: a run needs this service as it is; scale the target (service: ${TARGET})`;
    if (service === TARGET && (target.kind === 'url' || target.kind === 'command'))
      return `${what}: the target is a url, and not the stack's own ${TARGET}`;
    return undefined;
  },

  async look(stack, { service: name, replicas }, signal) {
    const service = serviceNamed(stack, await servicesOf(stack, signal), name);
    const now = replicasNow(service);
    return { words: `${name}: ${now} to ${replicas} replicas`, before: { replicas: now } };
  },

  inject: (stack, { service, replicas }, _subject, signal) => setReplicas(stack, service, replicas, signal),
  undo: (stack, { service }, subject, signal) =>
    setReplicas(stack, service, before.parse(subject.before).replicas, signal),
  effect: (stack, fault, subject, phase, signal) =>
    untilThere(
      stack,
      fault.service,
      phase === 'injected' ? fault.replicas : before.parse(subject.before).replicas,
      signal,
    ),
};

/**
 * The note of what the service has at rest stays right, so that whoever comes after a killed harness goes back to that.
 */
async function setReplicas(stack: Stack, name: string, replicas: number, signal: AbortSignal): Promise<void> {
  const service = serviceNamed(stack, await servicesOf(stack, signal), name);
  await stack.engine.services.change(service.ID, (current) => withReplicas(current, replicas), signal);
}

/** In effect when exactly so many tasks run and, of the target behind a gateway, when exactly so many get requests. */
async function untilThere(stack: Stack, name: string, wanted: number, signal: AbortSignal): Promise<FaultEffect> {
  let last: FaultEffect = { settled: false, replicas: [] };
  while (!signal.aborted) {
    last = await look(stack, name, wanted, signal).catch(() => last);
    if (last.settled) break;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return last;
}

async function look(stack: Stack, name: string, wanted: number, signal: AbortSignal): Promise<FaultEffect> {
  const services = await servicesOf(stack, signal);
  const service = serviceNamed(stack, services, name);
  const tasks = await runningTasks(stack, services, [name], signal);
  const replicas = name === TARGET ? replicasOfService(service, tasks, stack) : [];
  if (tasks.length !== wanted) return { settled: false, replicas };
  const behindGateway = name === TARGET && services.has(GATEWAY);
  return { settled: !behindGateway || (await serversUp(signal)) === wanted, replicas };
}

/** @throws SwarmPlatformError STACK_INCOMPLETE; StackError NOT_SCALABLE */
function serviceNamed({ name: stack }: Stack, services: StackServices, name: string): Service {
  const service = services.get(name);
  if (service === undefined)
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      `the stack ${stack} has no service ${name}, which a fault is to scale`,
      `it has ${[...services.keys()].toSorted().join(', ')}`,
    );
  if (service.Spec.Mode.Replicated === undefined)
    throw new StackError(
      'NOT_SCALABLE',
      `${service.Spec.Name} is not a replicated service, so a fault cannot scale it`,
      'a global service has one on every node that fits its constraints',
    );
  if (name === TARGET && !services.has(GATEWAY))
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      `the stack ${stack} has no gateway, so its clients would not follow the replicas of ${name}`,
      'deploy a stack that has one',
    );
  return service;
}

/** The engine takes no number for 1. */
function replicasNow({ Spec }: Service): number {
  return Spec.Mode.Replicated?.Replicas ?? 1;
}
