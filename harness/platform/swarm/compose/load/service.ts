import type { Position } from '../../../../../scenarios/yaml/problem.js';
import { printed } from '../go/numbers.js';
import { cut, shellWords } from '../go/text.js';
import type {
  ComposeAttachment,
  ComposeCredentialSpec,
  ComposeHealthcheck,
  ComposeLogging,
  ComposeReference,
  ComposeService,
  ComposeUlimit,
} from '../model.js';
import { IGNORED } from '../schema/known-keys.js';
import type { ListValue, MapValue } from '../source/value.js';
import { loadDeploy } from './deploy.js';
import { loadEnvironment } from './environment.js';
import { loadMounts } from './mounts.js';
import { loadPorts } from './ports.js';
import {
  countOf,
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
  valueAt,
  warnOfUnknown,
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
    stopGracePeriodNs: durationOf(service, 'stop_grace_period', path, context.findings),
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
    ulimits: loadUlimits(mapOf(service, 'ulimits')),
    logging: loadLogging(mapOf(service, 'logging')),
    healthcheck: loadHealthcheck(mapOf(service, 'healthcheck'), `${path}.healthcheck`, context),
    credentialSpec: loadCredentialSpec(mapOf(service, 'credential_spec')),
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
    const remedy = IGNORED.get(key);
    if (remedy !== undefined) findings.warn(keyAt, 'IGNORED', `${path}.${key}`, 'is ignored', remedy);
  }
  const restart = service.entries.get('restart');
  if (restart !== undefined && mapOf(mapOf(service, 'deploy'), 'restart_policy') !== undefined)
    findings.warn(restart.keyAt, 'IGNORED', `${path}.restart`, 'is ignored: deploy.restart_policy is given');
}

/** A list as it is, a text split as a shell would. */
function loadCommand(
  service: MapValue,
  key: 'command' | 'entrypoint',
  path: string,
  { findings }: LoadContext,
): readonly string[] | undefined {
  const value = valueAt(service, key);
  if (value?.kind === 'list') return textsIn(value);
  if (value?.kind !== 'text') return undefined;
  const parsed = shellWords(value.text);
  if (parsed.kind === 'words') return parsed.words;
  findings.refuse(value.at, 'INVALID_VALUE', `${path}.${key}`, parsed.message, 'close the quote, or give a list');
  return undefined;
}

/** `name:address` each: the items of a map sorted, those of a list in order, split at the first "=" or else ":". */
function loadExtraHosts(service: MapValue, path: string, context: LoadContext): readonly string[] | undefined {
  const value = valueAt(service, 'extra_hosts');
  if (value?.kind === 'list') return hostsInList(value, `${path}.extra_hosts`, context);
  if (value?.kind !== 'map') return undefined;
  const hosts = [...value.entries].flatMap(([name, entry]) => {
    const address = printed(entry.value);
    return address === undefined ? [] : [`${name}:${address}`];
  });
  return hosts.sort().map(withoutBrackets);
}

function hostsInList(list: ListValue, path: string, { findings }: LoadContext): readonly string[] {
  return list.items.flatMap((item, index) => {
    if (item.kind !== 'text') return [];
    const [name, address] = cut(item.text, item.text.includes('=') ? '=' : ':');
    if (address !== null) return [withoutBrackets(`${name}:${address}`)];
    const message = `"${item.text}" has no address and is ignored`;
    findings.warn(item.at, 'IGNORED', `${path}[${index}]`, message, 'write name=address');
    return [];
  });
}

function withoutBrackets(host: string): string {
  const [name, address] = cut(host, ':');
  const bare = /^\[(.+)\]$/s.exec(address ?? '')?.[1];
  return `${name}:${bare ?? address ?? ''}`;
}

function loadUlimits(ulimits: MapValue | undefined): Readonly<Record<string, ComposeUlimit>> | undefined {
  if (ulimits === undefined) return undefined;
  return Object.fromEntries(
    [...ulimits.entries].map(([name, { value }]) => {
      if (value.kind === 'map') return [name, { soft: wholeOf(value, 'soft') ?? 0, hard: wholeOf(value, 'hard') ?? 0 }];
      const both = wholeOf(ulimits, name) ?? 0;
      return [name, { soft: both, hard: both }];
    }),
  );
}

function loadLogging(map: MapValue | undefined): ComposeLogging | undefined {
  return map && { at: map.at, driver: textOf(map, 'driver'), options: optionsOf(map, 'options') };
}

/** The shortest time that the engine takes in a healthcheck. */
const MIN_HEALTHCHECK_NS = 1e6;

function loadHealthcheck(
  map: MapValue | undefined,
  path: string,
  { findings }: LoadContext,
): ComposeHealthcheck | undefined {
  if (map === undefined) return undefined;
  const timeOf = (key: string): number | undefined => durationOf(map, key, path, findings, MIN_HEALTHCHECK_NS);
  return {
    at: map.at,
    test: loadTest(map),
    intervalNs: timeOf('interval'),
    timeoutNs: timeOf('timeout'),
    startPeriodNs: timeOf('start_period'),
    startIntervalNs: timeOf('start_interval'),
    retries: countOf(map, 'retries', path, findings),
    disable: flagOf(map, 'disable'),
  };
}

/** A text is run by a shell. */
function loadTest(healthcheck: MapValue): readonly string[] | undefined {
  const value = valueAt(healthcheck, 'test');
  if (value?.kind === 'text') return ['CMD-SHELL', value.text];
  return value?.kind === 'list' ? textsIn(value) : undefined;
}

function loadCredentialSpec(map: MapValue | undefined): ComposeCredentialSpec | undefined {
  return (
    map && { at: map.at, config: textOf(map, 'config'), file: textOf(map, 'file'), registry: textOf(map, 'registry') }
  );
}

const NAME_ONLY = { detailed: false, aliases: undefined, driverOpts: undefined };

function loadAttachments(
  service: MapValue,
  path: string,
  context: LoadContext,
): ReadonlyMap<string, ComposeAttachment> | undefined {
  const value = valueAt(service, 'networks');
  if (value?.kind === 'list') {
    const names = value.items.flatMap((item) => (item.kind === 'text' ? [item] : []));
    return new Map(names.map(({ text, at }) => [text, { ...NAME_ONLY, at }]));
  }
  if (value?.kind !== 'map') return undefined;
  return new Map(
    [...value.entries].map(([name, entry]) => [
      name,
      entry.value.kind === 'map'
        ? loadAttachment(entry.value, entry.keyAt, `${path}.networks.${name}`, context)
        : { ...NAME_ONLY, at: entry.keyAt },
    ]),
  );
}

function loadAttachment(map: MapValue, at: Position, path: string, { findings }: LoadContext): ComposeAttachment {
  for (const key of ['ipv4_address', 'ipv6_address']) {
    const keyAt = map.entries.get(key)?.keyAt;
    if (keyAt !== undefined)
      findings.warn(keyAt, 'IGNORED', `${path}.${key}`, 'is ignored: a Swarm assigns addresses itself');
  }
  return { at, detailed: true, aliases: textsOf(map, 'aliases'), driverOpts: optionsOf(map, 'driver_opts') };
}

const SOURCE_ONLY = { target: undefined, uid: undefined, gid: undefined, mode: undefined };

/** Configs or secrets that a service uses. */
function loadReferences(
  service: MapValue,
  key: 'configs' | 'secrets',
  path: string,
  { findings }: LoadContext,
): readonly ComposeReference[] | undefined {
  return listOf(service, key)?.items.map((item, index) => {
    if (item.kind !== 'map') return { ...SOURCE_ONLY, at: item.at, source: item.kind === 'text' ? item.text : '' };
    const itemPath = `${path}.${key}[${index}]`;
    warnOfUnknown(item, ['source', 'target', 'uid', 'gid', 'mode'], itemPath, findings);
    return {
      at: item.at,
      source: textOf(item, 'source') ?? '',
      target: textOf(item, 'target'),
      uid: textOf(item, 'uid'),
      gid: textOf(item, 'gid'),
      mode: countOf(item, 'mode', itemPath, findings),
    };
  });
}
