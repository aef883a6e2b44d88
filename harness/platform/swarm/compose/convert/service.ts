import type { Findings } from '../findings.js';
import { float32, parseCpus } from '../go/numbers.js';
import { nonEmpty, omitAbsent, omitEmpty } from '../go/omit-empty.js';
import type { ComposeReservations, ComposeService, ComposeUpdateConfig, Located } from '../model.js';
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
import { type ConvertContext, IMAGE_LABEL, scoped, withStack } from './context.js';
import { checkServiceRules } from './engine-rules.js';
import { checkImage } from './image.js';
import { convertAttachments } from './networks.js';

export function convertService(service: ComposeService, context: ConvertContext): ServiceSpec {
  checkImage(service, context.findings);
  const spec = serviceSpec(service, context);
  checkServiceRules(service, spec, context);
  return spec;
}

function serviceSpec(service: ComposeService, context: ConvertContext): ServiceSpec {
  const labels = { ...withStack(context.stack, service.deploy.labels), [IMAGE_LABEL]: service.image?.value ?? '' };
  return omitAbsent<ServiceSpec>({
    Name: scoped(context.stack, service.name),
    Labels: labels,
    TaskTemplate: taskTemplate(service, context),
    Mode: convertMode(service, context.findings),
    UpdateConfig: convertUpdateConfig(service.deploy.updateConfig),
    RollbackConfig: convertUpdateConfig(service.deploy.rollbackConfig),
    EndpointSpec: convertEndpoint(service),
  });
}

function taskTemplate(service: ComposeService, context: ConvertContext): TaskSpec {
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

export function convertMode({ name, deploy: { mode, replicas } }: ComposeService, findings: Findings): ServiceMode {
  const count = replicas?.value;
  switch (mode?.value) {
    case undefined:
    case 'replicated':
      return { Replicated: omitAbsent({ Replicas: count }) };
    case 'replicated-job':
      return { ReplicatedJob: omitAbsent({ MaxConcurrent: count, TotalCompletions: count }) };
    case 'global':
    case 'global-job':
      if (replicas !== undefined) {
        const path = `services.${name}.deploy.replicas`;
        findings.refuse(
          replicas.at,
          'CONFLICT',
          path,
          `cannot be given with mode ${mode.value}, which runs one task a node`,
          'leave it out, or use mode replicated',
        );
      }
      return mode.value === 'global' ? { Global: {} } : { GlobalJob: {} };
    default: {
      const path = `services.${name}.deploy.mode`;
      findings.refuse(
        mode?.at ?? { file: '', line: 1, column: 1 },
        'INVALID_VALUE',
        path,
        `there is no mode "${mode?.value}"`,
        'replicated, global, replicated-job or global-job',
      );
      return {};
    }
  }
}

/** Sent also without ports. Sorted by published port, so that another order in the file is no change. */
export function convertEndpoint(service: ComposeService): EndpointSpec {
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

/** Restart, update and rollback. */

/** `deploy.restart_policy`, or else what `restart` means in a Swarm. */
export function convertRestartPolicy(
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
  findings.refuse(
    restart.at,
    'INVALID_VALUE',
    `services.${name}.restart`,
    `there is no restart policy "${restart.value}"`,
    'no, always, unless-stopped, on-failure or on-failure:N',
  );
  return undefined;
}

/** An empty block means something: one task at a time, which is what the engine would do without it as well. */
export function convertUpdateConfig(config: ComposeUpdateConfig | undefined): UpdateConfig | undefined {
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

export function convertResources(
  { name, deploy: { limits, reservations } }: ComposeService,
  findings: Findings,
): Resources {
  const path = `services.${name}.deploy.resources`;
  return omitEmpty<Resources>({
    Limits:
      limits &&
      omitEmpty({
        NanoCPUs: cpus(limits.cpus, `${path}.limits`, findings),
        MemoryBytes: limits.memoryBytes,
        Pids: limits.pids,
      }),
    Reservations: reservations && convertReservations(reservations, `${path}.reservations`, findings),
  });
}

function convertReservations(reservations: ComposeReservations, path: string, findings: Findings): Reservations {
  const generic = (reservations.generic ?? []).map((resource) => ({
    ...(resource === undefined
      ? {}
      : {
          DiscreteResourceSpec: omitEmpty<{ Kind?: string; Value?: number }>({
            Kind: resource.kind,
            Value: resource.value,
          }),
        }),
  }));
  return omitEmpty<Reservations>({
    NanoCPUs: cpus(reservations.cpus, path, findings),
    MemoryBytes: reservations.memoryBytes,
    GenericResources: generic,
  });
}

const MIN_NANO_CPUS = 1e6;

function cpus(text: Located<string> | undefined, path: string, findings: Findings): number | undefined {
  if (text === undefined) return undefined;
  const nano = parseCpus(text.value);
  if (nano === undefined) {
    findings.refuse(
      text.at,
      'INVALID_VALUE',
      `${path}.cpus`,
      `"${text.value}" is no number of processors`,
      'a number no finer than a billionth, as in "0.5"',
    );
  } else if (nano !== 0 && nano < MIN_NANO_CPUS) {
    findings.refuse(text.at, 'INVALID_VALUE', `${path}.cpus`, `${text.value} is less than the engine takes, 0.001`);
  }
  return nano;
}
