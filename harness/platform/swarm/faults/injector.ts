/** All kinds of faults that the swarm platform can inject. */
import { describeFault } from '../../../../scenarios/schema/faults/fault-kinds.js';
import type { FaultPlan, Plan } from '../../../../scenarios/schema/plan.js';
import { type FaultInjector, FaultRefused } from '../../platform.js';
import type { FaultHandler, FaultStack } from './fault-handler.js';
import { drain, leader, nodeCut, nodeDown } from './node-faults.js';
import { cpu, delay, dns, kill, loss, memory, partition, pause, rate, reset, restart, stop } from './replica-faults.js';
import { badImage, rollingUpdate } from './rollouts.js';
import { scale } from './scale.js';

type Kind = FaultPlan['kind'];
type FaultOf<K extends Kind> = Extract<FaultPlan, { readonly kind: K }>;

/** Kinds without a handler are refused by name. */
const handlers: { readonly [K in Kind]?: FaultHandler<FaultOf<K>> } = {
  scale,
  kill,
  stop,
  restart,
  pause,
  partition,
  delay,
  loss,
  rate,
  reset,
  dns,
  cpu,
  memory,
  'rolling-update': rollingUpdate,
  'bad-image': badImage,
  drain,
  'node-cut': nodeCut,
  'node-down': nodeDown,
  leader,
};

function handlerOf<K extends Kind>(fault: { readonly kind: K }): FaultHandler<FaultOf<K>> | undefined {
  return handlers[fault.kind] as FaultHandler<FaultOf<K>> | undefined;
}

export function createInjector(stack: FaultStack): FaultInjector {
  const handlerFor = (fault: FaultPlan): FaultHandler<FaultPlan> => {
    const handler = handlerOf(fault);
    if (handler === undefined) throw new FaultRefused(notHere(fault));
    return handler;
  };
  return {
    inspect: async (fault, context, signal) => handlerFor(fault).inspect(stack, fault, context, signal),
    inject: async (fault, subject, progress, signal) =>
      handlerFor(fault).inject(stack, fault, subject, progress, signal),
    maintain: async (fault, subject, progress, signal) =>
      (await handlerFor(fault).maintain?.(stack, fault, subject, progress, signal)) ?? [],
    undo: async (fault, subject, signal) => {
      await handlerFor(fault).undo(stack, fault, subject, signal);
      return [];
    },
    undoByForce: async (fault, subject, signal) => {
      const handler = handlerFor(fault);
      await (handler.undoByForce ?? handler.undo)(stack, fault, subject, signal);
      return [];
    },
    sweep: async (runId, signal) => {
      const undone: string[] = [];
      for (const agent of (await stack.agents.all(signal)).values()) {
        const found = (await agent.states(signal)).filter(
          ({ id }) => runId === undefined || id.startsWith(`${runId}/`),
        );
        for (const { id, kind, container } of found) {
          await agent.undo({ id, ...(container === '' ? {} : { container }) }, signal);
          undone.push(`the ${kind} of fault ${id}${container === '' ? '' : ` on container ${container.slice(0, 12)}`}`);
        }
      }
      return undone;
    },
    waitForEffect: async (fault, subject, phase, signal) =>
      handlerFor(fault).waitForEffect(stack, fault, subject, phase, signal),
  };
}

/** Why faults of this plan cannot be injected here, one sentence for each reason. Pure. */
export function faultRefusals(plan: Plan): readonly string[] {
  return plan.faults.flatMap((fault) => {
    const handler = handlerOf(fault);
    return handler === undefined ? [notHere(fault)] : (handler.refusal(fault, plan) ?? []);
  });
}

function notHere(fault: FaultPlan): string {
  return `fault ${describeFault(fault)}: the swarm platform cannot inject \`kind: ${fault.kind}\``;
}
