/** The fault that gives a service of the stack another number of replicas for a while. */
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
import { wantedReplicas } from '../stack/service-progress.js';
import { StackError } from '../stack/stack-error.js';
import { type Stack, type StackServices, servicesOf } from '../stack/stack-objects.js';
import type { FaultHandler } from './fault-handler.js';

const POLL_MS = 250;
/** A run needs these to be conducted, to generate its load and to route it, and it sets their replicas itself. */
const NOT_SCALED = /^(?:harness|gateway|client-sim-.+)$/;

const before = z.object({ replicas: z.number().int() });

export const scale: FaultHandler<Extract<FaultPlan, { readonly kind: 'scale' }>> = {
  refusal(fault, { target }) {
    const { service } = fault;
    const prefix = `fault ${describeFault(fault)}`;
    if (NOT_SCALED.test(service))
      return `${prefix}: a run needs this service as it is; scale the target (service: ${TARGET})`;
    if (service === TARGET && (target.kind === 'url' || target.kind === 'command'))
      return `${prefix}: the target is a ${target.kind}, and not the stack's own ${TARGET}`;
    return undefined;
  },

  async inspect(stack, { service: name, replicas }, _context, signal) {
    const now = wantedReplicas(serviceNamed(stack, await servicesOf(stack, signal), name));
    return { description: `${name}: ${now} to ${replicas} replicas`, replicas: [], before: { replicas: now } };
  },

  inject: (stack, { service, replicas }, _subject, _progress, signal) => setReplicas(stack, service, replicas, signal),

  undo: (stack, { service }, subject, signal) =>
    setReplicas(stack, service, before.parse(subject.before).replicas, signal),

  async waitForEffect(stack, { service, replicas }, subject, phase, signal) {
    const wanted = phase === 'injected' ? replicas : before.parse(subject.before).replicas;
    let last: FaultEffect = { settled: false, replicas: [] };
    while (!signal.aborted) {
      last = await effectOn(stack, service, wanted, signal).catch(() => last);
      if (last.settled) break;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    return last;
  },
};

/** Keeps the label with the idle number of replicas, so that the service returns to it even after a killed harness. */
async function setReplicas(stack: Stack, name: string, replicas: number, signal: AbortSignal): Promise<void> {
  const service = serviceNamed(stack, await servicesOf(stack, signal), name);
  await stack.engine.services.change(service.ID, (current) => withReplicas(current, replicas), signal);
}

/** Settled when exactly this many tasks run and, for the target behind a gateway, exactly this many get requests. */
async function effectOn(stack: Stack, name: string, wanted: number, signal: AbortSignal): Promise<FaultEffect> {
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
      'a global service runs once on every node that fits its constraints',
    );
  if (name === TARGET && !services.has(GATEWAY))
    throw new SwarmPlatformError(
      'STACK_INCOMPLETE',
      `the stack ${stack} has no gateway, so clients would not follow a change in the replicas of ${name}`,
      'deploy a stack that has one',
    );
  return service;
}
