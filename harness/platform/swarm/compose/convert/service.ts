import type { Findings } from '../findings.js';
import { float32, parseCpus } from '../go/numbers.js';
import { nonEmpty, omitAbsent, omitEmpty } from '../go/omit-empty.js';
import type { ComposeReservations, ComposeService, ComposeUpdateConfig, Located } from '../model.js';
import { IMAGE_LABEL, scoped, withStack } from '../stack-names.js';
import type {
  EndpointSpec,
  Reservations,
  Resources,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
  TaskSpec,
  UpdateConfig,
} from '../swarm-types.js';
import { convertContainer } from './container.js';
import type { ConvertContext } from './context.js';
import { checkServiceRules } from './engine-rules.js';
import { checkImage } from './image.js';
import { convertAttachments } from './networks.js';

export function convertService(service: ComposeService, context: ConvertContext): ServiceSpec {
  checkImage(service, context.findings);
  const labels = { ...withStack(context.stack, service.deploy.labels), [IMAGE_LABEL]: service.image?.value ?? '' };
  const spec = omitAbsent<ServiceSpec>({
    Name: scoped(context.stack, service.name),
    Labels: labels,
    TaskTemplate: convertTask(service, context),
    Mode: convertMode(service, context.findings),
    UpdateConfig: convertUpdateConfig(service.deploy.updateConfig),
    RollbackConfig: convertUpdateConfig(service.deploy.rollbackConfig),
    EndpointSpec: convertEndpoint(service),
  });
  checkServiceRules(service, spec, context);
  return spec;
}

function convertTask(service: ComposeService, context: ConvertContext): TaskSpec {
  const { constraints, spread = [], maxReplicasPerNode } = service.deploy;
  const { logging } = service;
  return omitAbsent<TaskSpec>({
    ContainerSpec: convertContainer(service, context),
    Resources: convertResources(service, context.findings),
    RestartPolicy: convertRestartPolicy(service, context.findings),
    Placement: omitEmpty<TaskSpec['Placement']>({
      Constraints: constraints,
      Preferences: spread.map((descriptor) => ({ Spread: { SpreadDescriptor: descriptor } })),
      MaxReplicas: maxReplicasPerNode,
    }),
    Networks: convertAttachments(service, context),
    LogDriver:
      logging &&
      omitEmpty<NonNullable<TaskSpec['LogDriver']>>({ Name: logging.driver, Options: nonEmpty(logging.options) }),
    ForceUpdate: 0,
  });
}

function convertMode({ name, deploy: { mode, replicas } }: ComposeService, findings: Findings): ServiceMode {
  const count = replicas?.value;
  if (mode === undefined) return { Replicated: omitAbsent({ Replicas: count }) };
  switch (mode.value) {
    case 'replicated':
      return { Replicated: omitAbsent({ Replicas: count }) };
    case 'replicated-job':
      return { ReplicatedJob: omitAbsent({ MaxConcurrent: count, TotalCompletions: count }) };
    case 'global':
    case 'global-job':
      if (replicas !== undefined) {
        const path = `services.${name}.deploy.replicas`;
        const message = `cannot be given with mode ${mode.value}, which runs one task on each node`;
        findings.refuse(replicas.at, 'CONFLICT', path, message, 'leave it out, or use mode replicated');
      }
      return mode.value === 'global' ? { Global: {} } : { GlobalJob: {} };
    default: {
      const hint = 'the modes are replicated, global, replicated-job and global-job';
      findings.refuse(mode.at, 'INVALID_VALUE', `services.${name}.deploy.mode`, `unknown mode "${mode.value}"`, hint);
      return {};
    }
  }
}

/** Sent even without ports. Sorted by published port, so that another order in the file is no change. */
function convertEndpoint(service: ComposeService): EndpointSpec {
  const ports = (service.ports ?? []).map(({ protocol, target, published, mode }) =>
    omitEmpty<NonNullable<EndpointSpec['Ports']>[number]>({
      Protocol: protocol,
      TargetPort: target,
      PublishedPort: published,
      PublishMode: mode,
    }),
  );
  const sorted = ports.toSorted((a, b) => (a.PublishedPort ?? 0) - (b.PublishedPort ?? 0));
  return omitEmpty<EndpointSpec>({ Mode: service.deploy.endpointMode?.toLowerCase(), Ports: sorted });
}

/** `deploy.restart_policy`, or else what `restart` means in a Swarm. */
function convertRestartPolicy(
  { name, restart, deploy: { restartPolicy } }: ComposeService,
  findings: Findings,
): RestartPolicy | undefined {
  if (restartPolicy !== undefined) {
    const { condition, delayNs, maxAttempts, windowNs } = restartPolicy;
    return omitAbsent<RestartPolicy>({
      Condition: condition,
      Delay: delayNs,
      MaxAttempts: maxAttempts,
      Window: windowNs,
    });
  }
  if (restart === undefined) return undefined;
  const { policy, retries } = /^(?<policy>[^:]+)(:(?<retries>[-+]?\d*))?$/.exec(restart.value)?.groups ?? {};
  switch (policy) {
    case 'no':
      return undefined;
    case 'always':
    case 'unless-stopped':
      return { Condition: 'any' };
    case 'on-failure':
      if (!retries?.startsWith('-')) return { Condition: 'on-failure', MaxAttempts: Number(retries ?? 0) };
  }
  const message = `unknown restart policy "${restart.value}"`;
  const hint = 'the policies are no, always, unless-stopped, on-failure and on-failure:N';
  findings.refuse(restart.at, 'INVALID_VALUE', `services.${name}.restart`, message, hint);
  return undefined;
}

/** An empty block means one task at a time, which is what the engine would do without it as well. */
function convertUpdateConfig(config: ComposeUpdateConfig | undefined): UpdateConfig | undefined {
  if (config === undefined) return undefined;
  return {
    Parallelism: config.parallelism ?? 1,
    ...omitEmpty<Pick<UpdateConfig, 'Delay' | 'FailureAction' | 'Monitor'>>({
      Delay: config.delayNs,
      FailureAction: config.failureAction,
      Monitor: config.monitorNs,
    }),
    MaxFailureRatio: float32(config.maxFailureRatio ?? 0),
    Order: config.order ?? '',
  };
}

function convertResources({ name, deploy: { limits, reservations } }: ComposeService, findings: Findings): Resources {
  const path = `services.${name}.deploy.resources`;
  return omitEmpty<Resources>({
    Limits:
      limits &&
      omitEmpty({
        NanoCPUs: nanoCpus(limits.cpus, `${path}.limits`, findings),
        MemoryBytes: limits.memoryBytes,
        Pids: limits.pids,
      }),
    Reservations: reservations && convertReservations(reservations, `${path}.reservations`, findings),
  });
}

function convertReservations(reservations: ComposeReservations, path: string, findings: Findings): Reservations {
  const generic = (reservations.generic ?? []).map((resource) =>
    resource === undefined
      ? {}
      : {
          DiscreteResourceSpec: omitEmpty<{ Kind?: string; Value?: number }>({
            Kind: resource.kind,
            Value: resource.value,
          }),
        },
  );
  return omitEmpty<Reservations>({
    NanoCPUs: nanoCpus(reservations.cpus, path, findings),
    MemoryBytes: reservations.memoryBytes,
    GenericResources: generic,
  });
}

/** The engine's minimum; 0 sets no limit. */
const MIN_NANO_CPUS = 1e6;

function nanoCpus(text: Located<string> | undefined, path: string, findings: Findings): number | undefined {
  if (text === undefined) return undefined;
  const nano = parseCpus(text.value);
  const refuse = (message: string, hint?: string): void =>
    findings.refuse(text.at, 'INVALID_VALUE', `${path}.cpus`, message, hint);
  if (nano === undefined)
    refuse(`"${text.value}" is not a number of processors`, 'a number no finer than a billionth, as in "0.5"');
  else if (nano !== 0 && nano < MIN_NANO_CPUS) refuse(`${text.value} is less than the engine's minimum, 0.001`);
  return nano;
}
