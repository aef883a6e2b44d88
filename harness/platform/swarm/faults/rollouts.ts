/** Updates of a service under load: a good one, and one to an image that does not start. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeFault } from '../../../../scenarios/schema/faults/fault-kinds.js';
import type { FaultPlan } from '../../../../scenarios/schema/plan.js';
import { type FaultContext, type FaultEffect, FaultRefused, type FaultSubject, type LeftOver } from '../../platform.js';
import type { Service, Task } from '../engine/answers.js';
import { runningTasks } from '../run-on-stack/running-tasks.js';
import { replicasOfService, TARGET } from '../run-on-stack/target.js';
import { isOver, wantedReplicas } from '../stack/service-progress.js';
import { servicesOf } from '../stack/stack-objects.js';
import { notBack } from './data-plane.js';
import type { FaultHandler, FaultStack, Shown } from './fault-handler.js';
import { countPerNode, tasksNow } from './struck.js';

type Rollout = Extract<FaultPlan, { readonly kind: 'rolling-update' | 'bad-image' }>;
type Spec = Service['Spec'];

const POLL_MS = 300;
/** A run needs these as they are. */
const NOT_UPDATED = /^(?:harness|agent|client-sim-.+)$/;
/**
 * What an update has replaced, as JSON. In the service itself, which holds the values in any case: the journal is part
 * of the report, and values of variables may be secrets.
 */
const BEFORE_LABEL = 'swarmbench.fault.update';

const kept = z.object({
  fault: z.string(),
  image: z.string().optional(),
  env: z.array(z.string()).optional(),
  updateConfig: z.unknown().optional(),
});

const journal = z.object({
  order: z.string(),
  service: z.string(),
  tasks: z.array(z.string()),
  wanted: z.number(),
  perNode: z.record(z.string(), z.number()),
});
type Journal = z.infer<typeof journal>;

/** Each kind shows itself in its own way. */
function rollout<Fault extends Rollout>(
  change: (spec: Spec, fault: Fault) => Spec,
  witness: (before: Journal, service: Service, tasks: readonly Task[]) => Shown,
): FaultHandler<Fault> {
  return {
    refusal(fault, { target }) {
      const prefix = `fault ${describeFault(fault)}`;
      if (NOT_UPDATED.test(fault.service)) return `${prefix}: a run needs this service as it is`;
      if (fault.service === TARGET && (target.kind === 'url' || target.kind === 'command'))
        return `${prefix}: the target is a ${target.kind}, and not the stack's own ${TARGET}`;
      return undefined;
    },

    async inspect(stack, fault, context: FaultContext, signal) {
      const service = await serviceNamed(stack, fault.service, signal);
      if (service.Spec.Mode.Replicated === undefined)
        throw new FaultRefused(`${fault.service} is not a replicated service`);
      if (service.UpdateStatus?.State === 'updating')
        throw new FaultRefused(`${fault.service} is being updated already, by somebody else`);
      if (fault.kind === 'bad-image' && service.Spec.UpdateConfig?.FailureAction !== 'rollback')
        throw new FaultRefused(
          `${fault.service} does not roll back an update that fails (update_config.failure_action: rollback)`,
        );
      const tasks = await tasksNow(stack, fault.service, signal);
      const before: Journal = {
        order: `${context.runId}/${fault.id}`,
        service: fault.service,
        tasks: tasks.map(({ task }) => task),
        wanted: wantedReplicas(service),
        perNode: countPerNode(tasks),
      };
      return {
        description: describeFault(fault),
        replicas: fault.service === TARGET ? tasks.map(({ name }) => name) : [],
        before: { ...before },
      };
    },

    async inject(stack, fault, subject, _progress, signal) {
      const { order } = journal.parse(subject.before);
      const { ID } = await serviceNamed(stack, fault.service, signal);
      await stack.engine.services.change(
        ID,
        ({ Spec }) => (keptBy(Spec)?.fault === order ? undefined : change(keeping(Spec, order), fault)),
        signal,
      );
    },

    async undo(stack, _fault, subject, signal) {
      const { order, service } = journal.parse(subject.before);
      const found = (await servicesOf(stack, signal)).get(service);
      if (found === undefined) return;
      await stack.engine.services.change(found.ID, ({ Spec }) => asBefore(Spec, order), signal);
    },

    async waitForEffect(stack, _fault, subject: FaultSubject, phase, signal) {
      const before = journal.parse(subject.before);
      let last: FaultEffect = { settled: false, replicas: [] };
      while (!signal.aborted) {
        last = await (phase === 'injected' ? seen(stack, before, witness, signal) : over(stack, before, signal)).catch(
          () => last,
        );
        if (last.settled) break;
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
      return last;
    },
  };
}

async function serviceNamed(stack: FaultStack, name: string, signal: AbortSignal): Promise<Service> {
  const found = (await servicesOf(stack, signal)).get(name);
  if (found === undefined) throw new FaultRefused(`the stack ${stack.name} has no service ${name}`);
  return found;
}

function keptBy({ Labels }: Spec): z.infer<typeof kept> | undefined {
  const text = Labels[BEFORE_LABEL];
  return text === undefined ? undefined : kept.parse(JSON.parse(text));
}

const environment = z.looseObject({ Env: z.array(z.string()).optional() });

function keeping(spec: Spec, order: string): Spec {
  const container = spec.TaskTemplate.ContainerSpec;
  const before: z.infer<typeof kept> = {
    fault: order,
    ...(container === undefined ? {} : { image: container.Image, env: environment.parse(container).Env ?? [] }),
    updateConfig: spec.UpdateConfig ?? null,
  };
  return { ...spec, Labels: { ...spec.Labels, [BEFORE_LABEL]: JSON.stringify(before) } };
}

/** Undefined when the update of this fault is not there (any more): a rollback takes the label away, too. */
function asBefore(spec: Spec, order: string): Spec | undefined {
  const before = keptBy(spec);
  if (before?.fault !== order) return undefined;
  const { [BEFORE_LABEL]: _, ...Labels } = spec.Labels;
  const { ContainerSpec, ...template } = spec.TaskTemplate;
  const { UpdateConfig: __, ...rest } = spec;
  return {
    ...rest,
    Labels,
    ...(before.updateConfig === null || before.updateConfig === undefined
      ? {}
      : { UpdateConfig: before.updateConfig as NonNullable<Spec['UpdateConfig']> }),
    TaskTemplate:
      ContainerSpec === undefined || before.image === undefined
        ? spec.TaskTemplate
        : { ...template, ContainerSpec: { ...ContainerSpec, Image: before.image, Env: before.env } },
  };
}

async function seen(
  stack: FaultStack,
  before: Journal,
  witness: (before: Journal, service: Service, tasks: readonly Task[]) => Shown,
  signal: AbortSignal,
): Promise<FaultEffect> {
  const service = await serviceNamed(stack, before.service, signal);
  const shown = witness(before, service, await stack.engine.tasks.ofServices([service.ID], signal));
  if (typeof shown === 'object') return { settled: false, replicas: [], evidence: shown.notYet };
  const evidence = shown;
  const settled = evidence !== undefined;
  return {
    settled,
    replicas: settled ? await replicasOf(stack, before, signal) : [],
    ...(settled ? { evidence } : {}),
  };
}

async function over(stack: FaultStack, before: Journal, signal: AbortSignal): Promise<FaultEffect> {
  const service = await serviceNamed(stack, before.service, signal);
  const left: LeftOver[] = [...(await notBack(stack, { ...before, struck: [] }, signal))];
  const mend = `docker service rollback ${stack.name}_${before.service}`;
  const state = service.UpdateStatus?.State ?? '';
  if (state === 'updating' || state.startsWith('rollback_started'))
    left.push({ what: `the update of ${before.service} goes on`, mend });
  if (keptBy(service.Spec)?.fault === before.order) left.push({ what: `${before.service} is not as before`, mend });
  return {
    settled: left.length === 0,
    left,
    replicas: left.length === 0 ? await replicasOf(stack, before, signal) : [],
  };
}

async function replicasOf(
  stack: FaultStack,
  { service }: Journal,
  signal: AbortSignal,
): Promise<FaultEffect['replicas']> {
  if (service !== TARGET) return [];
  const services = await servicesOf(stack, signal);
  const target = services.get(TARGET);
  return target === undefined
    ? []
    : replicasOfService(target, await runningTasks(stack, services, [TARGET], signal), stack);
}

function runs({ DesiredState, Status }: Task): boolean {
  return Status.State === 'running' && !isOver(DesiredState);
}

export const rollingUpdate = rollout<Extract<Rollout, { readonly kind: 'rolling-update' }>>(
  (spec, { image, environment: variables, order, parallelism }) => {
    const { ContainerSpec } = spec.TaskTemplate;
    const own = environment.parse(ContainerSpec ?? {}).Env ?? [];
    const names = Object.keys(variables ?? {});
    const Env = [
      ...own.filter((line) => !names.includes(line.split('=')[0] ?? '')),
      ...Object.entries(variables ?? {}).map(([name, value]) => `${name}=${value}`),
    ];
    return {
      ...spec,
      UpdateConfig: {
        ...spec.UpdateConfig,
        ...(order === undefined ? {} : { Order: order }),
        ...(parallelism === undefined ? {} : { Parallelism: parallelism }),
      },
      TaskTemplate: {
        ...spec.TaskTemplate,
        ForceUpdate: spec.TaskTemplate.ForceUpdate + 1,
        ...(ContainerSpec === undefined
          ? {}
          : {
              ContainerSpec: {
                ...ContainerSpec,
                ...(image === undefined ? {} : { Image: image }),
                ...(names.length === 0 ? {} : { Env }),
              },
            }),
      },
    };
  },
  (before, _service, tasks) => {
    const fresh = tasks.filter((task) => runs(task) && !before.tasks.includes(task.ID));
    const text = `${fresh.length} of ${before.wanted} replicas are new tasks`;
    return fresh.length < before.wanted ? { notYet: text } : text;
  },
);

export const badImage = rollout<Extract<Rollout, { readonly kind: 'bad-image' }>>(
  (spec, { image }) => ({
    ...spec,
    TaskTemplate: {
      ...spec.TaskTemplate,
      ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Image: image } as NonNullable<
        Spec['TaskTemplate']['ContainerSpec']
      >,
    },
  }),
  (before, { UpdateStatus }, tasks) => {
    if (UpdateStatus?.State.startsWith('rollback') !== true) return undefined;
    const failed = tasks.filter(
      ({ ID, Status }) => !before.tasks.includes(ID) && ['rejected', 'failed'].includes(Status.State),
    );
    const why = failed[0]?.Status.Err ?? '';
    const reason = why === '' ? '' : ` (${why})`;
    return `${failed.length} tasks did not start${reason}, ${UpdateStatus.State.replace('_', ' ')}`;
  },
);
