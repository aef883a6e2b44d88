import { printed } from '../go/numbers.js';
import { shellWords } from '../go/shell-words.js';
import type {
  ComposeAttachment,
  ComposeCredentialSpec,
  ComposeHealthcheck,
  ComposeLogging,
  ComposeReference,
  ComposeService,
  ComposeUlimit,
} from '../model.js';
import type { Position } from '../problem.js';
import { IGNORED } from '../schema/known-keys.js';
import type { ListValue, MapValue } from '../source/value.js';
import { loadDeploy } from './deploy.js';
import { loadEnvironment } from './environment.js';
import { loadMounts } from './mounts.js';
import { loadPorts } from './ports.js';
import {
  countOf,
  cut,
  durationOf,
  flagOf,
  type LoadContext,
  listOf,
  locatedTextOf,
  mapOf,
  optionsOf,
  pairsOf,
  textOf,
  textsIn,
  textsOf,
  valueOf,
  wholeOf,
} from './read.js';

export function loadService(name: string, at: Position, service: MapValue, context: LoadContext): ComposeService {
  const path = `services.${name}`;
  warnOfIgnored(service, path, context);
  return {
    name,
    at,
    image: locatedTextOf(service, 'image'),
    entrypoint: loadCommand(service, 'entrypoint', path, context),
    command: loadCommand(service, 'command', path, context),
    hostname: textOf(service, 'hostname'),
    user: textOf(service, 'user'),
    workingDir: textOf(service, 'working_dir'),
    stopSignal: textOf(service, 'stop_signal'),
    isolation: textOf(service, 'isolation'),
    stopGracePeriodNs: durationOf(service, 'stop_grace_period'),
    tty: flagOf(service, 'tty'),
    stdinOpen: flagOf(service, 'stdin_open'),
    readOnly: flagOf(service, 'read_only'),
    init: flagOf(service, 'init'),
    restart: locatedTextOf(service, 'restart'),
    environment: loadEnvironment(service, path, context),
    labels: pairsOf(service, 'labels'),
    sysctls: pairsOf(service, 'sysctls'),
    dns: textsOf(service, 'dns'),
    dnsSearch: textsOf(service, 'dns_search'),
    extraHosts: loadExtraHosts(service, path, context),
    capAdd: textsOf(service, 'cap_add'),
    capDrop: textsOf(service, 'cap_drop'),
    ulimits: loadUlimits(service),
    logging: logging(mapOf(service, 'logging')),
    healthcheck: healthcheck(mapOf(service, 'healthcheck'), `${path}.healthcheck`, context),
    credentialSpec: credentialSpec(mapOf(service, 'credential_spec')),
    networks: loadAttachments(service, path, context),
    ports: loadPorts(service, path, context),
    volumes: loadMounts(service, path, context),
    secrets: loadReferences(service, 'secrets', path, context),
    configs: loadReferences(service, 'configs', path, context),
    deploy: loadDeploy(service, path, context),
  };
}

function warnOfIgnored(service: MapValue, path: string, { findings }: LoadContext): void {
  for (const [key, { keyAt }] of service.entries) {
    const remedy = Object.hasOwn(IGNORED, key) ? IGNORED[key] : undefined;
    if (remedy !== undefined) findings.warn(keyAt, 'IGNORED', `${path}.${key}`, 'is ignored', remedy);
  }
  const restart = service.entries.get('restart');
  if (restart !== undefined && mapOf(mapOf(service, 'deploy'), 'restart_policy') !== undefined) {
    findings.warn(restart.keyAt, 'IGNORED', `${path}.restart`, 'is ignored: deploy.restart_policy is given');
  }
}

function logging(map: MapValue | undefined): ComposeLogging | undefined {
  return map && { at: map.at, driver: textOf(map, 'driver'), options: optionsOf(map, 'options') };
}

function healthcheck(map: MapValue | undefined, path: string, context: LoadContext): ComposeHealthcheck | undefined {
  return (
    map && {
      at: map.at,
      test: test(map),
      intervalNs: durationOf(map, 'interval'),
      timeoutNs: durationOf(map, 'timeout'),
      startPeriodNs: durationOf(map, 'start_period'),
      startIntervalNs: durationOf(map, 'start_interval'),
      retries: countOf(map, 'retries', path, context.findings),
      disable: flagOf(map, 'disable'),
    }
  );
}

/** A text is run by a shell. */
function test(map: MapValue): readonly string[] | undefined {
  const value = valueOf(map, 'test');
  if (value?.kind === 'text') return ['CMD-SHELL', value.text];
  return value?.kind === 'list' ? textsIn(value) : undefined;
}

function credentialSpec(map: MapValue | undefined): ComposeCredentialSpec | undefined {
  return (
    map && { at: map.at, config: textOf(map, 'config'), file: textOf(map, 'file'), registry: textOf(map, 'registry') }
  );
}

/** The smaller list-like keys of a service. */

/** `command` and `entrypoint`: a list as it is, a text split as a shell would. */
export function loadCommand(
  service: MapValue,
  key: 'command' | 'entrypoint',
  path: string,
  context: LoadContext,
): readonly string[] | undefined {
  const value = valueOf(service, key);
  if (value?.kind === 'list') return textsIn(value);
  if (value?.kind !== 'text') return undefined;
  const parsed = shellWords(value.text);
  if (parsed.kind === 'words') return parsed.words;
  context.findings.refuse(
    value.at,
    'INVALID_VALUE',
    `${path}.${key}`,
    parsed.message,
    'close the quote, or give a list',
  );
  return undefined;
}

/** `name:address`; a map in order of its text, a list as it is, split at the first "=" or else ":". */
export function loadExtraHosts(service: MapValue, path: string, context: LoadContext): readonly string[] | undefined {
  const value = valueOf(service, 'extra_hosts');
  if (value?.kind === 'map') {
    const hosts = [...value.entries].flatMap(([name, entry]) => {
      const address = printed(entry.value);
      return address === undefined ? [] : [`${name}:${address}`];
    });
    return hosts.sort().map(withoutBrackets);
  }
  return value?.kind === 'list' ? hostList(value, path, context) : undefined;
}

function hostList(list: ListValue, path: string, context: LoadContext): readonly string[] {
  return list.items.flatMap((item, index) => {
    if (item.kind !== 'text') return [];
    const [name, address] = cut(item.text, item.text.includes('=') ? '=' : ':');
    if (address !== null) return [withoutBrackets(`${name}:${address}`)];
    context.findings.warn(
      item.at,
      'IGNORED',
      `${path}.extra_hosts[${index}]`,
      `"${item.text}" has no address and is ignored`,
      'write name=address',
    );
    return [];
  });
}

function withoutBrackets(host: string): string {
  const [name, address] = cut(host, ':');
  const bare = /^\[(.+)\]$/s.exec(address ?? '')?.[1];
  return `${name}:${bare ?? address ?? ''}`;
}

export function loadUlimits(service: MapValue): Readonly<Record<string, ComposeUlimit>> | undefined {
  const ulimits = mapOf(service, 'ulimits');
  if (ulimits === undefined) return undefined;
  return Object.fromEntries(
    [...ulimits.entries].map(([name, { value }]) => {
      if (value.kind === 'map') return [name, { soft: wholeOf(value, 'soft') ?? 0, hard: wholeOf(value, 'hard') ?? 0 }];
      const both = wholeOf(ulimits, name) ?? 0;
      return [name, { soft: both, hard: both }];
    }),
  );
}

export function loadAttachments(
  service: MapValue,
  path: string,
  context: LoadContext,
): ReadonlyMap<string, ComposeAttachment> | undefined {
  const value = valueOf(service, 'networks');
  if (value?.kind === 'list') {
    return new Map(
      value.items.flatMap((item) =>
        item.kind === 'text' ? [[item.text, { ...WITHOUT_DETAILS, at: item.at }] as const] : [],
      ),
    );
  }
  if (value?.kind !== 'map') return undefined;
  return new Map(
    [...value.entries].map(([name, entry]): [string, ComposeAttachment] => {
      if (entry.value.kind !== 'map') return [name, { ...WITHOUT_DETAILS, at: entry.keyAt }];
      for (const key of ['ipv4_address', 'ipv6_address']) {
        const ignored = entry.value.entries.get(key);
        if (ignored !== undefined)
          context.findings.warn(
            ignored.keyAt,
            'IGNORED',
            `${path}.networks.${name}.${key}`,
            'is ignored: a Swarm gives out addresses itself',
          );
      }
      const aliases = textsOf(entry.value, 'aliases');
      return [name, { at: entry.keyAt, detailed: true, aliases, driverOpts: optionsOf(entry.value, 'driver_opts') }];
    }),
  );
}

const WITHOUT_DETAILS = { detailed: false, aliases: undefined, driverOpts: undefined };

/** Configs or secrets that a service uses. */
export function loadReferences(
  service: MapValue,
  key: 'configs' | 'secrets',
  path: string,
  context: LoadContext,
): readonly ComposeReference[] | undefined {
  return listOf(service, key)?.items.map((item, index) => {
    if (item.kind !== 'map') return { ...NO_DETAILS, at: item.at, source: item.kind === 'text' ? item.text : '' };
    return {
      at: item.at,
      source: textOf(item, 'source') ?? '',
      target: textOf(item, 'target'),
      uid: textOf(item, 'uid'),
      gid: textOf(item, 'gid'),
      mode: countOf(item, 'mode', `${path}.${key}[${index}]`, context.findings),
    };
  });
}

const NO_DETAILS = { target: undefined, uid: undefined, gid: undefined, mode: undefined };
