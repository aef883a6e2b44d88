/**
 * Merges a later compose file onto an earlier one, by the rules of docker/cli 28, cli/compose/loader/merge.go (which is
 * built on dario.cat/mergo), with all their oddities.
 */
import type { Position } from '../../../../scenarios/yaml/problem.js';
import type { Findings } from './findings.js';
import { compare } from './go/text.js';
import type {
  ComposeAttachment,
  ComposeCredentialSpec,
  ComposeDeploy,
  ComposeHealthcheck,
  ComposeLimits,
  ComposeLogging,
  ComposeModel,
  ComposeReservations,
  ComposeRestartPolicy,
  ComposeService,
  ComposeUpdateConfig,
} from './model.js';

/** Services of the same name are merged; of networks, volumes, configs and secrets the later one is taken whole. */
export function mergeFiles(base: ComposeModel, override: ComposeModel, findings: Findings): ComposeModel {
  if (base.format.value !== override.format.value) {
    const message = `this file has format 3.${override.format.value}, and an earlier one 3.${base.format.value}`;
    findings.refuse(override.format.at, 'VERSION', 'version', message, 'leave the line out of all files');
  }
  const services = new Map<string, ComposeService>(base.services);
  for (const [name, service] of override.services) {
    const known = services.get(name);
    services.set(name, known === undefined ? service : mergeService(known, service, findings));
  }
  return {
    format: base.format,
    services,
    networks: new Map([...base.networks, ...override.networks]),
    volumes: new Map([...base.volumes, ...override.volumes]),
    secrets: new Map([...base.secrets, ...override.secrets]),
    configs: new Map([...base.configs, ...override.configs]),
  };
}

function mergeService(base: ComposeService, override: ComposeService, findings: Findings): ComposeService {
  const path = `services.${base.name}`;
  warnOfFlagsKept(base, override, path, findings);
  return {
    name: base.name,
    at: base.at,
    image: later(base.image, override.image),
    entrypoint: replaced(base.entrypoint, override.entrypoint),
    command: replaced(base.command, override.command),
    hostname: later(base.hostname, override.hostname),
    user: later(base.user, override.user),
    workingDir: later(base.workingDir, override.workingDir),
    stopSignal: later(base.stopSignal, override.stopSignal),
    isolation: later(base.isolation, override.isolation),
    stopGracePeriodNs: later(base.stopGracePeriodNs, override.stopGracePeriodNs),
    tty: later(base.tty, override.tty),
    stdinOpen: later(base.stdinOpen, override.stdinOpen),
    readOnly: later(base.readOnly, override.readOnly),
    init: later(base.init, override.init),
    restart: later(base.restart, override.restart),
    environment: unitedVariables(base.environment, override.environment),
    labels: united(base.labels, override.labels),
    sysctls: united(base.sysctls, override.sysctls),
    dns: appended(base.dns, override.dns),
    dnsSearch: appended(base.dnsSearch, override.dnsSearch),
    extraHosts: appended(base.extraHosts, override.extraHosts),
    capAdd: appended(base.capAdd, override.capAdd),
    capDrop: appended(base.capDrop, override.capDrop),
    ulimits: united(base.ulimits, override.ulimits),
    logging: both(base.logging, override.logging, (first, second) => mergeLogging(first, second, path, findings)),
    healthcheck: both(base.healthcheck, override.healthcheck, (first, second) =>
      mergeHealthcheck(first, second, path, findings),
    ),
    credentialSpec: both(base.credentialSpec, override.credentialSpec, mergeCredentialSpec),
    networks: mergeAttachments(base.networks, override.networks),
    ports: keyed(
      base.ports,
      override.ports,
      (port) => port.published,
      (port, by) => {
        const message = `is lost: line ${by.at.line} publishes the same port, and merging files keeps only one`;
        findings.warn(port.at, 'MISLEADING', `${path}.ports`, message, 'give all ports of the service in one file');
      },
    ),
    volumes: keyed(base.volumes, override.volumes, (mount) => mount.target ?? '', warnOfLost('volumes', 'target')),
    secrets: keyed(base.secrets, override.secrets, (reference) => reference.source, warnOfLost('secrets', 'source')),
    configs: keyed(base.configs, override.configs, (reference) => reference.source, warnOfLost('configs', 'source')),
    deploy: mergeDeploy(base.deploy, override.deploy),
  };

  function warnOfLost(key: string, by: string): (item: { readonly at: Position }) => void {
    return ({ at }) => {
      const message = `is lost: merging files keeps one item for each ${by}`;
      findings.warn(at, 'MISLEADING', `${path}.${key}`, message, 'give them all in one file');
    };
  }
}

const FLAGS = [
  ['init', 'init'],
  ['tty', 'tty'],
  ['stdinOpen', 'stdin_open'],
  ['readOnly', 'read_only'],
] as const;

function warnOfFlagsKept(base: ComposeService, override: ComposeService, path: string, findings: Findings): void {
  for (const [key, name] of FLAGS) {
    if (base[key] !== true || override[key] !== false) continue;
    const message = 'stays true: merging files never turns a flag off';
    findings.warn(override.at, 'MISLEADING', `${path}.${name}`, message, 'leave it out of the earlier file');
  }
}

function mergeLogging(
  base: ComposeLogging,
  override: ComposeLogging,
  path: string,
  findings: Findings,
): ComposeLogging {
  const sameDriver = base.driver === undefined || override.driver === undefined || base.driver === override.driver;
  if (!sameDriver) return override;
  if (base.options === undefined && override.options !== undefined) {
    const message = 'are lost: merging files adds options only to options';
    const hint = 'give an option in the earlier file too';
    findings.warn(override.at, 'MISLEADING', `${path}.logging.options`, message, hint);
  }
  const options = base.options === undefined ? undefined : united(base.options, override.options);
  return { at: base.at, driver: base.driver ?? override.driver, options };
}

function mergeHealthcheck(
  base: ComposeHealthcheck,
  override: ComposeHealthcheck,
  path: string,
  findings: Findings,
): ComposeHealthcheck {
  if (base.test?.length && override.test?.length) {
    const message = 'is appended to the test of the earlier file, not put in its place';
    findings.warn(override.at, 'MISLEADING', `${path}.healthcheck.test`, message, 'give the test in one file');
  }
  return {
    at: override.at,
    test: appended(base.test, override.test),
    intervalNs: later(base.intervalNs, override.intervalNs),
    timeoutNs: later(base.timeoutNs, override.timeoutNs),
    startPeriodNs: later(base.startPeriodNs, override.startPeriodNs),
    startIntervalNs: later(base.startIntervalNs, override.startIntervalNs),
    retries: laterEvenZero(base.retries, override.retries),
    disable: later(base.disable, override.disable),
  };
}

function mergeCredentialSpec(base: ComposeCredentialSpec, override: ComposeCredentialSpec): ComposeCredentialSpec {
  return {
    at: override.at,
    config: later(base.config, override.config),
    file: later(base.file, override.file),
    registry: later(base.registry, override.registry),
  };
}

/** Where both files give details, the later aliases replace the earlier ones, and the earlier driver options stay. */
function mergeAttachments(
  base: ComposeService['networks'],
  override: ComposeService['networks'],
): ComposeService['networks'] {
  if (base === undefined || override === undefined) return base ?? override;
  const merged = new Map<string, ComposeAttachment>(base);
  for (const [name, attachment] of override) {
    const known = merged.get(name);
    if (known === undefined || !known.detailed) merged.set(name, attachment);
    else if (attachment.detailed) merged.set(name, { ...known, at: attachment.at, aliases: attachment.aliases });
  }
  return merged;
}

function mergeDeploy(base: ComposeDeploy, override: ComposeDeploy): ComposeDeploy {
  return {
    mode: later(base.mode, override.mode),
    replicas: laterEvenZero(base.replicas, override.replicas),
    endpointMode: later(base.endpointMode, override.endpointMode),
    labels: united(base.labels, override.labels),
    limits: both(base.limits, override.limits, mergeLimits),
    reservations: both(base.reservations, override.reservations, mergeReservations),
    restartPolicy: both(base.restartPolicy, override.restartPolicy, mergeRestartPolicy),
    updateConfig: both(base.updateConfig, override.updateConfig, mergeUpdateConfig),
    rollbackConfig: both(base.rollbackConfig, override.rollbackConfig, mergeUpdateConfig),
    constraints: appended(base.constraints, override.constraints),
    spread: appended(base.spread, override.spread),
    maxReplicasPerNode: later(base.maxReplicasPerNode, override.maxReplicasPerNode),
  };
}

function mergeLimits(base: ComposeLimits, override: ComposeLimits): ComposeLimits {
  return {
    cpus: later(base.cpus, override.cpus),
    memoryBytes: later(base.memoryBytes, override.memoryBytes),
    pids: later(base.pids, override.pids),
  };
}

function mergeReservations(base: ComposeReservations, override: ComposeReservations): ComposeReservations {
  return {
    cpus: later(base.cpus, override.cpus),
    memoryBytes: later(base.memoryBytes, override.memoryBytes),
    generic: appended(base.generic, override.generic),
  };
}

function mergeRestartPolicy(base: ComposeRestartPolicy, override: ComposeRestartPolicy): ComposeRestartPolicy {
  return {
    condition: later(base.condition, override.condition),
    delayNs: later(base.delayNs, override.delayNs),
    maxAttempts: laterEvenZero(base.maxAttempts, override.maxAttempts),
    windowNs: later(base.windowNs, override.windowNs),
  };
}

function mergeUpdateConfig(base: ComposeUpdateConfig, override: ComposeUpdateConfig): ComposeUpdateConfig {
  return {
    parallelism: laterEvenZero(base.parallelism, override.parallelism),
    delayNs: later(base.delayNs, override.delayNs),
    failureAction: later(base.failureAction, override.failureAction),
    monitorNs: later(base.monitorNs, override.monitorNs),
    maxFailureRatio: later(base.maxFailureRatio, override.maxFailureRatio),
    order: later(base.order, override.order),
  };
}

/** The later value, unless it is absent or empty (`false`, 0, ""). */
function later<T>(base: T | undefined, override: T | undefined): T | undefined {
  return isEmpty(override) ? (base ?? override) : override;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

/** The later value, unless it is absent: for values that mean something when they are 0. */
function laterEvenZero<T>(base: T | undefined, override: T | undefined): T | undefined {
  return override ?? base;
}

/** Both lists, one after the other. */
function appended<T>(base: readonly T[] | undefined, override: readonly T[] | undefined): readonly T[] | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return [...base, ...override];
}

/** The later list, unless it is empty. */
function replaced<T>(base: readonly T[] | undefined, override: readonly T[] | undefined): readonly T[] | undefined {
  if (base === undefined) return override;
  return override === undefined || override.length === 0 ? base : override;
}

/** Key by key, the later one wins. */
function united<T>(
  base: Readonly<Record<string, T>> | undefined,
  override: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return { ...base, ...override };
}

/** Key by key; an empty or missing value never replaces one that is there. */
function unitedVariables(
  base: ComposeService['environment'],
  override: ComposeService['environment'],
): ComposeService['environment'] {
  const merged = { ...base };
  for (const [name, value] of Object.entries(override)) {
    if (value !== null && value !== '') merged[name] = value;
    else if (!merged[name]) merged[name] = value;
  }
  return merged;
}

/** Both blocks merged where both are given, else the one that is. */
function both<T>(base: T | undefined, override: T | undefined, merge: (base: T, override: T) => T): T | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return merge(base, override);
}

/**
 * One item for each key, sorted by key. The later one wins, even within one of the two files. Without a base the later
 * list stays as it is.
 */
function keyed<T, Key extends string | number>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
  keyOf: (item: T) => Key,
  onLost: (item: T, by: T) => void,
): readonly T[] | undefined {
  if (base === undefined) return override;
  const items = new Map<Key, T>();
  for (const list of [base, override ?? []]) {
    const own = new Set<Key>();
    for (const item of list) {
      const key = keyOf(item);
      const known = items.get(key);
      if (known !== undefined && own.has(key)) onLost(known, item);
      items.set(key, item);
      own.add(key);
    }
  }
  return [...items].sort(([a], [b]) => compare(a, b)).map(([, item]) => item);
}
