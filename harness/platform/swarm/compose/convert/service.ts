import type { ComposeService } from '../model.js';
import type { ServiceSpec, TaskSpec } from '../swarm-types.js';
import { convertContainer } from './container.js';
import { type ConvertContext, IMAGE_LABEL, scoped, withStack } from './context.js';
import { checkServiceRules } from './engine-rules.js';
import { checkImage } from './image.js';
import { convertMode } from './mode.js';
import { convertAttachments } from './networks.js';
import { nonEmpty, omitAbsent, omitEmpty } from './omit.js';
import { convertRestartPolicy, convertUpdateConfig } from './policies.js';
import { convertEndpoint } from './ports.js';
import { convertResources } from './resources.js';

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
