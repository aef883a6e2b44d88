import type { Findings } from './findings.js';
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

/**
 * How one value of a later file meets the same value of an earlier one: the rules of docker/cli 28,
 * cli/compose/loader/merge.go (built on dario.cat/mergo), its corners included. An empty value (`false`, 0, "") never
 * replaces anything.
 */

/** The later one, unless it is absent or empty. */
export function later<T>(base: T | undefined, override: T | undefined): T | undefined {
  return isEmpty(override) ? (base ?? override) : override;
}

/** The later one, unless it is absent: for what can be set to 0. */
export function latest<T>(base: T | undefined, override: T | undefined): T | undefined {
  return override ?? base;
}

/** Both, one after the other. */
export function appended<T>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
): readonly T[] | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return [...base, ...override];
}

/** The later list, unless it is empty. */
export function replaced<T>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
): readonly T[] | undefined {
  if (base === undefined) return override;
  return override === undefined || override.length === 0 ? base : override;
}

/** Key by key, the later one wins. */
export function united<T>(
  base: Readonly<Record<string, T>> | undefined,
  override: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return { ...base, ...override };
}

/** Key by key; an empty or missing value never replaces one that is there. */
export function unitedVariables(
  base: Readonly<Record<string, string | null>>,
  override: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string | null>> {
  const merged = { ...base };
  for (const [name, value] of Object.entries(override)) {
    if (value !== null && value !== '') merged[name] = value;
    else if (!merged[name]) merged[name] = value;
  }
  return merged;
}

/** Both blocks where both are given, else the one that is. */
export function both<T>(
  base: T | undefined,
  override: T | undefined,
  merge: (base: T, override: T) => T,
): T | undefined {
  if (base === undefined || override === undefined) return base ?? override;
  return merge(base, override);
}

/**
 * One item for each key, the later one wins, sorted by key: even within one of the two files. Without a base the later
 * list stays as it is.
 */
export function keyed<T>(
  base: readonly T[] | undefined,
  override: readonly T[] | undefined,
  keyOf: (item: T) => string | number,
  onReplaced: (item: T, by: T) => void,
): readonly T[] | undefined {
  if (base === undefined) return override;
  const items = new Map<string | number, T>();
  for (const list of [base, override ?? []]) {
    const own = new Set<string | number>();
    for (const item of list) {
      const known = items.get(keyOf(item));
      if (known !== undefined && own.has(keyOf(item))) onReplaced(known, item);
      items.set(keyOf(item), item);
      own.add(keyOf(item));
    }
  }
  return [...items].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

export function mergeDeploy(base: ComposeDeploy, override: ComposeDeploy): ComposeDeploy {
  return {
    mode: later(base.mode, override.mode),
    replicas: latest(base.replicas, override.replicas),
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
    maxAttempts: latest(base.maxAttempts, override.maxAttempts),
    windowNs: later(base.windowNs, override.windowNs),
  };
}

function mergeUpdateConfig(base: ComposeUpdateConfig, override: ComposeUpdateConfig): ComposeUpdateConfig {
  return {
    parallelism: latest(base.parallelism, override.parallelism),
    delayNs: later(base.delayNs, override.delayNs),
    failureAction: later(base.failureAction, override.failureAction),
    monitorNs: later(base.monitorNs, override.monitorNs),
    maxFailureRatio: later(base.maxFailureRatio, override.maxFailureRatio),
    order: later(base.order, override.order),
  };
}

export function mergeService(base: ComposeService, override: ComposeService, findings: Findings): ComposeService {
  const path = `services.${base.name}`;
  warnOfKept(base, override, path, findings);
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
    networks: mergeNetworks(base.networks, override.networks),
    ports: keyed(
      base.ports,
      override.ports,
      (port) => port.published,
      (port, by) => {
        const message = `is lost: merging files keeps one port for each published number, and line ${by.at.line} has the same`;
        findings.warn(port.at, 'MISLEADING', `${path}.ports`, message, 'give all ports of the service in one file');
      },
    ),
    volumes: keyed(base.volumes, override.volumes, (mount) => mount.target ?? '', dropped('volumes', 'target')),
    secrets: keyed(base.secrets, override.secrets, (reference) => reference.source, dropped('secrets', 'source')),
    configs: keyed(base.configs, override.configs, (reference) => reference.source, dropped('configs', 'source')),
    deploy: mergeDeploy(base.deploy, override.deploy),
  };

  function dropped(key: string, by: string): (item: { readonly at: ComposeService['at'] }) => void {
    return ({ at }) =>
      findings.warn(
        at,
        'MISLEADING',
        `${path}.${key}`,
        `is lost: merging files keeps one item for each ${by}`,
        'give them all in one file',
      );
  }
}

/** A flag that is on in an earlier file cannot be turned off in a later one. */
function warnOfKept(base: ComposeService, override: ComposeService, path: string, findings: Findings): void {
  for (const [key, name] of [
    ['init', 'init'],
    ['tty', 'tty'],
    ['stdinOpen', 'stdin_open'],
    ['readOnly', 'read_only'],
  ] as const) {
    if (base[key] === true && override[key] === false) {
      findings.warn(
        override.at,
        'MISLEADING',
        `${path}.${name}`,
        'stays true: merging files never turns a flag off',
        'leave it out of the earlier file',
      );
    }
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
    findings.warn(
      override.at,
      'MISLEADING',
      `${path}.logging.options`,
      'are lost: merging files adds options only to options',
      'give an option in the earlier file too',
    );
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
    findings.warn(
      override.at,
      'MISLEADING',
      `${path}.healthcheck.test`,
      'is appended to the test of the earlier file, not put in its place',
      'give the test in one file',
    );
  }
  return {
    at: override.at,
    test: appended(base.test, override.test),
    intervalNs: later(base.intervalNs, override.intervalNs),
    timeoutNs: later(base.timeoutNs, override.timeoutNs),
    startPeriodNs: later(base.startPeriodNs, override.startPeriodNs),
    startIntervalNs: later(base.startIntervalNs, override.startIntervalNs),
    retries: latest(base.retries, override.retries),
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
function mergeNetworks(
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
