import { nonEmpty, omitAbsent, omitEmpty } from '../go/omit-empty.js';
import { compare } from '../go/text.js';
import type { ComposeHealthcheck, ComposeService } from '../model.js';
import { scoped, withStack } from '../stack-names.js';
import type { ContainerSpec, CredentialSpec, Healthcheck, Ulimit } from '../swarm-types.js';
import type { ConvertContext } from './context.js';
import { convertConfigReferences, convertSecretReferences } from './file-objects.js';
import { familiarImage } from './image.js';
import { convertMounts } from './mounts.js';

export function convertContainer(service: ComposeService, context: ConvertContext): ContainerSpec {
  const capabilities = convertCapabilities(service.capAdd, service.capDrop);
  const sentEvenWhenEmpty = omitAbsent<Pick<ContainerSpec, 'Init' | 'StopGracePeriod'>>({
    Init: service.init,
    StopGracePeriod: service.stopGracePeriodNs,
  });
  const rest = omitEmpty<Omit<ContainerSpec, keyof typeof sentEvenWhenEmpty>>({
    Image: service.image && familiarImage(service.image.value),
    Labels: withStack(context.stack, service.labels),
    Command: service.entrypoint,
    Args: service.command,
    Hostname: service.hostname,
    Env: convertEnvironment(service),
    Dir: service.workingDir,
    User: service.user,
    Privileges: {
      CredentialSpec: convertCredentialSpec(service, context),
      SELinuxContext: null,
      NoNewPrivileges: false,
    },
    StopSignal: service.stopSignal,
    TTY: service.tty,
    OpenStdin: service.stdinOpen,
    ReadOnly: service.readOnly,
    Mounts: convertMounts(service, context),
    Healthcheck: service.healthcheck && convertHealthcheck(service.healthcheck, service.name, context),
    Hosts: convertHosts(service),
    DNSConfig: convertDns(service),
    Secrets: convertSecretReferences(service, context),
    Configs: convertConfigReferences(service, context),
    Isolation: service.isolation,
    Sysctls: nonEmpty(service.sysctls),
    CapabilityAdd: capabilities.added,
    CapabilityDrop: capabilities.dropped,
    Ulimits: convertUlimits(service),
  });
  return { ...rest, ...sentEvenWhenEmpty };
}

/** `NAME=value`, or the name alone, which removes a variable of the image; sorted. */
function convertEnvironment({ environment }: ComposeService): readonly string[] {
  return Object.entries(environment)
    .map(([name, value]) => (value === null ? name : `${name}=${value}`))
    .sort();
}

/** Windows only. `Config` holds the config's name until its id is known. */
function convertCredentialSpec(
  service: ComposeService,
  { model, stack, findings }: ConvertContext,
): CredentialSpec | null {
  const spec = service.credentialSpec;
  if (spec === undefined) return null;
  const path = `services.${service.name}.credential_spec`;
  const given = (['config', 'file', 'registry'] as const).filter((key) => spec[key] !== undefined);
  if (given.length > 1)
    findings.refuse(spec.at, 'CONFLICT', path, `cannot have ${given.join(' and ')} together`, 'keep one of them');
  if (given.length === 0) return null;
  const scopedName = spec.config === undefined ? '' : scoped(stack, spec.config);
  const config = spec.config === undefined ? '' : (model.configs.get(spec.config)?.name ?? scopedName);
  // The CLI finds the config again by its key, with or without the stack before it, and by no other name.
  if (spec.config !== undefined && config !== spec.config && config !== scopedName) {
    const message = `cannot be "${spec.config}", which has a \`name\` of its own`;
    findings.refuse(spec.at, 'CONFLICT', `${path}.config`, message, 'leave the name out');
  }
  return { Config: config, File: spec.file ?? '', Registry: spec.registry ?? '' };
}

function convertHealthcheck(check: ComposeHealthcheck, service: string, { findings }: ConvertContext): Healthcheck {
  if (check.disable === true) {
    if (check.test?.length) {
      const message = 'cannot have a test and be disabled';
      findings.refuse(check.at, 'CONFLICT', `services.${service}.healthcheck`, message, 'leave one of them out');
    }
    return { Test: ['NONE'] };
  }
  return omitEmpty<Healthcheck>({
    Test: check.test,
    Interval: check.intervalNs,
    Timeout: check.timeoutNs,
    StartPeriod: check.startPeriodNs,
    StartInterval: check.startIntervalNs,
    Retries: check.retries,
  });
}

/** `address name` each, as in /etc/hosts. */
function convertHosts({ extraHosts = [] }: ComposeService): readonly string[] {
  return extraHosts.map((host) => {
    const colon = host.indexOf(':');
    return `${host.slice(colon + 1)} ${host.slice(0, colon)}`;
  });
}

function convertDns({ dns, dnsSearch }: ComposeService): ContainerSpec['DNSConfig'] {
  if (dns === undefined && dnsSearch === undefined) return undefined;
  return omitEmpty<NonNullable<ContainerSpec['DNSConfig']>>({ Nameservers: dns, Search: dnsSearch });
}

/**
 * Names as the engine wants them (`CAP_NET_ADMIN`), sorted. What is added is not dropped, and ALL stands for every
 * other name.
 */
export function convertCapabilities(
  add: readonly string[] = [],
  drop: readonly string[] = [],
): { readonly added: readonly string[]; readonly dropped: readonly string[] } {
  const added = capabilityNames(add);
  const dropped = capabilityNames(drop).filter((capability) => !added.includes(capability));
  return { added, dropped };
}

function capabilityNames(capabilities: readonly string[]): readonly string[] {
  const names = capabilities.map((capability) => {
    const name = capability.trim().toUpperCase();
    return name === 'ALL' || name === 'RESET' || name.startsWith('CAP_') ? name : `CAP_${name}`;
  });
  // RESET has a meaning on `docker service update` only.
  return names.includes('ALL') ? ['ALL'] : [...new Set(names)].filter((name) => name !== 'RESET').sort();
}

function convertUlimits({ ulimits = {} }: ComposeService): readonly Ulimit[] {
  return Object.entries(ulimits)
    .map(([name, { soft, hard }]) => ({ Name: name, Soft: soft, Hard: hard }))
    .sort((a, b) => compare(a.Name, b.Name));
}
