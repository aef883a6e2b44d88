import type {
  ComposeAttachment,
  ComposeCredentialSpec,
  ComposeHealthcheck,
  ComposeLogging,
  ComposeService,
} from '../model.js';
import type { Findings } from '../problem.js';
import { mergeDeploy } from './merge-deploy.js';
import { appended, both, keyed, later, latest, replaced, united, unitedVariables } from './rules.js';

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
        findings.warn(port.at, 'SURPRISE', `${path}.ports`, message, 'give all ports of the service in one file');
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
        'SURPRISE',
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
        'SURPRISE',
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
      'SURPRISE',
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
      'SURPRISE',
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
