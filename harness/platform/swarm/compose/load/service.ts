import type { ComposeCredentialSpec, ComposeHealthcheck, ComposeLogging, ComposeService } from '../model.js';
import type { Position } from '../problem.js';
import { IGNORED } from '../schema/known-keys.js';
import type { MapValue } from '../source/value.js';
import type { LoadContext } from './context.js';
import { loadDeploy } from './deploy.js';
import { loadEnvironment } from './environment.js';
import { loadAttachments, loadCommand, loadExtraHosts, loadReferences, loadUlimits } from './lists.js';
import { loadMounts } from './mounts.js';
import { loadPorts } from './ports.js';
import {
  countOf,
  durationOf,
  flagOf,
  locatedTextOf,
  mapOf,
  optionsOf,
  pairsOf,
  textOf,
  textsIn,
  textsOf,
  valueOf,
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
