import type { ComposeHealthcheck, ComposeService } from '../model.js';
import type { ContainerSpec, Healthcheck, Ulimit } from '../swarm-types.js';
import { convertCapabilities } from './capabilities.js';
import { type ConvertContext, withStack } from './context.js';
import { convertCredentialSpec } from './credential-spec.js';
import { familiarImage } from './image.js';
import { convertMounts } from './mounts.js';
import { nonEmpty, omitAbsent, omitEmpty } from './omit.js';
import { convertConfigReferences, convertSecretReferences } from './references.js';

export function convertContainer(service: ComposeService, context: ConvertContext): ContainerSpec {
  const capabilities = convertCapabilities(service.capAdd, service.capDrop);
  const always = omitAbsent<Pick<ContainerSpec, 'Init' | 'StopGracePeriod'>>({
    Init: service.init,
    StopGracePeriod: service.stopGracePeriodNs,
  });
  const rest = omitEmpty<Omit<ContainerSpec, keyof typeof always>>({
    Image: service.image && familiarImage(service.image.value),
    Labels: withStack(context.stack, service.labels),
    Command: service.entrypoint,
    Args: service.command,
    Hostname: service.hostname,
    Env: environment(service),
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
    Healthcheck: service.healthcheck && healthcheck(service.healthcheck, service.name, context),
    Hosts: hosts(service),
    DNSConfig: dnsConfig(service),
    Secrets: convertSecretReferences(service, context),
    Configs: convertConfigReferences(service, context),
    Isolation: service.isolation,
    Sysctls: nonEmpty(service.sysctls),
    CapabilityAdd: capabilities.added,
    CapabilityDrop: capabilities.dropped,
    Ulimits: ulimits(service),
  });
  return { ...rest, ...always };
}

/** `NAME=value`, or the name alone, which removes a variable of the image; sorted. */
function environment({ environment: variables }: ComposeService): readonly string[] {
  return Object.entries(variables)
    .map(([name, value]) => (value === null ? name : `${name}=${value}`))
    .sort();
}

function healthcheck(check: ComposeHealthcheck, service: string, { findings }: ConvertContext): Healthcheck {
  if (check.disable === true) {
    if (check.test?.length)
      findings.refuse(
        check.at,
        'CONFLICT',
        `services.${service}.healthcheck`,
        'cannot have a test and be disabled',
        'leave one of them out',
      );
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

/** As in /etc/hosts: `address name`. */
function hosts({ extraHosts = [] }: ComposeService): readonly string[] {
  return extraHosts.map((host) => {
    const colon = host.indexOf(':');
    return `${host.slice(colon + 1)} ${host.slice(0, colon)}`;
  });
}

function dnsConfig({ dns, dnsSearch }: ComposeService): ContainerSpec['DNSConfig'] {
  if (dns === undefined && dnsSearch === undefined) return undefined;
  return omitEmpty<NonNullable<ContainerSpec['DNSConfig']>>({ Nameservers: dns, Search: dnsSearch });
}

function ulimits({ ulimits: limits = {} }: ComposeService): readonly Ulimit[] {
  return Object.entries(limits)
    .map(([name, { soft, hard }]) => ({ Name: name, Soft: soft, Hard: hard }))
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
}
