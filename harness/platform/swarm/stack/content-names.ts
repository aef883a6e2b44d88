/** The content of configs and secrets cannot be changed, so its hash goes into the name: new content, new object. */
import { createHash } from 'node:crypto';
import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { ContainerSpec, FileSpec, ServiceSpec } from '../compose/swarm-types.js';

const HASH_LENGTH = 10;
/** The engine's limit. */
const NAME_LENGTH = 64;

/** Services refer to the new names, too. Configs and secrets that have a `name:` in the file keep it. */
export function withContentNames(stack: StackSpec): StackSpec {
  const configs = stack.configs.map((config) => contentNamed(config, stack.name));
  const secrets = stack.secrets.map((secret) => contentNamed(secret, stack.name));
  const configNames = new Map(stack.configs.map(({ Name }, index) => [Name, configs[index]?.Name ?? Name]));
  const secretNames = new Map(stack.secrets.map(({ Name }, index) => [Name, secrets[index]?.Name ?? Name]));
  return {
    ...stack,
    configs,
    secrets,
    services: stack.services.map((service) => renamed(service, configNames, secretNames)),
  };
}

function contentNamed(file: FileSpec, stack: string): FileSpec {
  if (file.Data === undefined || !file.Name.startsWith(`${stack}_`)) return file;
  const hash = createHash('sha256')
    .update(file.Data)
    .update(JSON.stringify(file.Templating ?? null))
    .digest('hex')
    .slice(0, HASH_LENGTH);
  return { ...file, Name: `${file.Name.slice(0, NAME_LENGTH - HASH_LENGTH - 1)}-${hash}` };
}

function renamed(
  service: ServiceSpec,
  configs: ReadonlyMap<string, string>,
  secrets: ReadonlyMap<string, string>,
): ServiceSpec {
  const { Configs, Secrets, Privileges, ...container } = service.TaskTemplate.ContainerSpec;
  const ContainerSpec: ContainerSpec = {
    ...container,
    ...(Configs && {
      Configs: Configs.map((one) => ({ ...one, ConfigName: configs.get(one.ConfigName) ?? one.ConfigName })),
    }),
    ...(Secrets && {
      Secrets: Secrets.map((one) => ({ ...one, SecretName: secrets.get(one.SecretName) ?? one.SecretName })),
    }),
    ...(Privileges && {
      Privileges: {
        ...Privileges,
        CredentialSpec: Privileges.CredentialSpec && {
          ...Privileges.CredentialSpec,
          Config: configs.get(Privileges.CredentialSpec.Config) ?? Privileges.CredentialSpec.Config,
        },
      },
    }),
  };
  return { ...service, TaskTemplate: { ...service.TaskTemplate, ContainerSpec } };
}
