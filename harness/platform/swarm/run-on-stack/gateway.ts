/** The gateway in front of the replicas: its stickiness, its servers, and whether it sends requests to all of them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  GATEWAY_DEFAULTS,
  type GatewayOptions,
  renderGateway,
  STICKINESS,
  STICKY_PORTS,
  type Stickiness,
} from '../../../../swarm/gateway/render-gateway.js';
import { messageOf } from '../../../support/error-message.js';
import { pollUntil } from '../../../support/poll-until.js';
import { STACK_LABEL } from '../compose/stack-names.js';
import { type FileObject, list, type Service } from '../engine/answers.js';
import { labelOf, type Stack, type StackServices } from '../stack/stack-objects.js';
import { type AwaitedService, awaitedAfter } from '../stack/wait-converged.js';
import { SwarmPlatformError } from './swarm-platform-error.js';
import type { TargetImage } from './target-image.js';

export const GATEWAY = 'gateway';
const STATISTICS_URL = 'http://tasks.gateway:8404/stats;csv';
const STATISTICS_MS = 2_000;

const HASH_LENGTH = 10;

/** Inside the stack's networks, whatever ports are published. @param sticky undefined: that of the published port */
export function gatewayUrl(sticky?: Stickiness): string {
  return `http://tasks.gateway:${sticky === undefined ? 8080 : STICKY_PORTS[sticky]}`;
}

const mounts = z.looseObject({
  Configs: list(
    z.looseObject({
      ConfigID: z.string(),
      ConfigName: z.string(),
      File: z.looseObject({ Name: z.string() }).nullish(),
    }),
  ),
});

/** Ports and health check of the idle gateway, as JSON; set only while it sends to another image. */
const IDLE_GATEWAY_LABEL = 'swarmbench.rest.gateway';

const idleState = z.strictObject({ port: z.number(), streamPort: z.number(), healthPath: z.string().optional() });

/**
 * Configures the gateway for this stickiness and this image, and keeps all its other settings. This replaces its one
 * task, which takes some seconds. Undefined when it has that configuration already.
 * @param sticky undefined: as it is
 * @param image undefined: the stack's own server
 * @throws SwarmPlatformError GATEWAY_FOREIGN
 */
export async function setGateway(
  stack: Stack,
  gateway: Service,
  sticky: Stickiness | undefined,
  image: TargetImage | undefined,
  signal: AbortSignal,
): Promise<AwaitedService | undefined> {
  const mounted = mounts
    .parse(gateway.Spec.TaskTemplate.ContainerSpec ?? {})
    .Configs.find(({ File }) => File?.Name.endsWith('.cfg'));
  const configs = await stack.engine.configs.labelled(labelOf(stack.name), signal);
  const text = Buffer.from(configs.find(({ ID }) => ID === mounted?.ConfigID)?.Spec.Data ?? '', 'base64').toString();
  const settings = gatewaySettings(text);
  if (mounted === undefined || settings === undefined) throw foreignGateway(gateway, sticky, image);
  const kept = gateway.Spec.Labels[IDLE_GATEWAY_LABEL];
  const own = kept === undefined ? settings : { ...settings, ...idleState.parse(JSON.parse(kept)) };
  const next = {
    ...own,
    sticky: sticky ?? own.sticky,
    ...(image === undefined ? {} : { port: image.port, streamPort: image.port, healthPath: undefined }),
  };
  if (renderGateway(next) === text && (kept === undefined) === (image === undefined)) return undefined;
  const wanted = await configWith(stack, configs, next, signal);
  const { port, streamPort, healthPath } = own;
  const idle = image === undefined ? undefined : JSON.stringify({ port, streamPort, healthPath });
  const { before } = await stack.engine.services.change(
    gateway.ID,
    ({ Spec }) => withConfig(withIdleLabel(Spec, idle), mounted.ConfigID, wanted),
    signal,
  );
  return awaitedAfter(before);
}

function foreignGateway(
  { Spec }: Service,
  sticky: Stickiness | undefined,
  image: TargetImage | undefined,
): SwarmPlatformError {
  const consequence =
    image === undefined
      ? `its stickiness cannot be set to ${sticky}`
      : `it cannot be directed to port ${image.port} of ${image.image}`;
  return new SwarmPlatformError(
    'GATEWAY_FOREIGN',
    `${Spec.Name} has a configuration that swarmbench did not write, so ${consequence}`,
    '`swarmbench up` replaces it with one of ours',
  );
}

/** Directs the gateway to the stack's own server again, if it sends to another image. */
export async function returnGatewayToIdle(stack: Stack, services: StackServices, signal: AbortSignal): Promise<void> {
  const gateway = services.get(GATEWAY);
  if (gateway?.Spec.Labels[IDLE_GATEWAY_LABEL] !== undefined)
    await setGateway(stack, gateway, undefined, undefined, signal);
}

function withIdleLabel(spec: Service['Spec'], idle: string | undefined): Service['Spec'] {
  const { [IDLE_GATEWAY_LABEL]: _, ...labels } = spec.Labels;
  return { ...spec, Labels: idle === undefined ? labels : { ...labels, [IDLE_GATEWAY_LABEL]: idle } };
}

interface ConfigId {
  readonly ConfigID: string;
  readonly ConfigName: string;
}

/**
 * A config of the stack with these settings: an existing one, such as that of `up`, or a new one. It has the label of
 * the stack, so that `down` removes it.
 */
async function configWith(
  { engine, name }: Stack,
  known: readonly FileObject[],
  settings: GatewayOptions,
  signal: AbortSignal,
): Promise<ConfigId> {
  const text = renderGateway(settings);
  const Data = Buffer.from(text).toString('base64');
  const same = known.find(({ Spec }) => Spec.Data === Data);
  if (same !== undefined) return { ConfigName: same.Spec.Name, ConfigID: same.ID };
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
  const Name = `${name}_${GATEWAY}_${settings.sticky}-${hash}`;
  return {
    ConfigName: Name,
    ConfigID: await engine.configs.create({ Name, Labels: { [STACK_LABEL]: name }, Data }, signal),
  };
}

function withConfig(spec: Service['Spec'], before: string, wanted: ConfigId): object {
  const { ContainerSpec } = spec.TaskTemplate;
  const Configs = mounts
    .parse(ContainerSpec ?? {})
    .Configs.map((one) => (one.ConfigID === before ? { ...one, ...wanted } : one));
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...ContainerSpec, Configs } } };
}

const READY_MS = 20_000;
const POLL_MS = 250;

/** Waits until the gateway sends to exactly this many servers. @throws SwarmPlatformError GATEWAY_NOT_READY */
export async function waitForServers(wanted: number, signal: AbortSignal): Promise<void> {
  let seen: number | string = 0;
  const late = (): SwarmPlatformError => {
    const last = typeof seen === 'string' ? seen : `it sends to ${seen}`;
    return new SwarmPlatformError(
      'GATEWAY_NOT_READY',
      `the gateway does not send to the ${wanted} replicas that run (${last} after ${READY_MS / 1000} s)`,
      'are they healthy? see the page of the gateway at port 8404, /stats',
    );
  };
  const look = async (): Promise<boolean> => {
    seen = await serversUp(signal);
    return seen === wanted;
  };
  await pollUntil(look, { everyMs: POLL_MS, withinMs: READY_MS, late }, signal);
}

/** How many replicas the gateway sends to, or a sentence that says why that is unknown. */
export async function serversUp(signal: AbortSignal): Promise<number | string> {
  try {
    const answer = await fetch(STATISTICS_URL, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(STATISTICS_MS)]),
    });
    return answer.ok ? countUp(await answer.text()) : `${STATISTICS_URL} answers ${answer.status}`;
  } catch (error) {
    signal.throwIfAborted();
    return `${STATISTICS_URL}: ${messageOf(error)}`;
  }
}

/** HAProxy's statistics as CSV. @param host address of the gateway in the stack @throws Error when it is silent */
export async function gatewayStatistics(host: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(`http://${host}:8404/stats;csv`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(STATISTICS_MS)]),
  });
  if (!answer.ok) throw new Error(`the statistics of the gateway: HTTP ${answer.status}`);
  return await answer.text();
}

/**
 * From HAProxy's statistics as CSV (management guide, 9.1), which have one line for each server of each backend. Each
 * stickiness has its backend: the smallest number counts.
 */
export function countUp(csv: string): number {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const [proxy, server, status] = ['pxname', 'svname', 'status'].map((name) => columns.indexOf(name));
  const up = new Map<string, number>();
  for (const fields of lines.map((line) => line.split(','))) {
    const name = fields[proxy ?? -1] ?? '';
    if (!/^servers(?:_|$)/.test(name) || fields[server ?? -1] === 'BACKEND') continue;
    up.set(name, (up.get(name) ?? 0) + (/^(?:UP|no check)/.test(fields[status ?? -1] ?? '') ? 1 : 0));
  }
  return up.size === 0 ? 0 : Math.min(...up.values());
}

/**
 * The settings of a gateway, read back from its configuration. Undefined when this version would not have written that
 * text: it is the user's own, or another version's. Pure.
 */
export function gatewaySettings(text: string): GatewayOptions | undefined {
  const servers = serverTemplate(text, 'mcp');
  const streams = serverTemplate(text, 'stream');
  if (servers === undefined || streams === undefined) return undefined;
  const found = {
    ...GATEWAY_DEFAULTS,
    ...servers,
    streamPort: streams.port,
    healthPath: /option httpchk GET (\S+)/.exec(text)?.[1],
  };
  return STICKINESS.map((sticky) => ({ ...found, sticky })).find((settings) => renderGateway(settings) === text);
}

function serverTemplate(
  text: string,
  prefix: string,
): Pick<GatewayOptions, 'maxServers' | 'service' | 'port'> | undefined {
  const [, most, service, port] =
    new RegExp(`server-template ${prefix} 1-(\\d+) tasks\\.([\\w.-]+):(\\d+) `).exec(text) ?? [];
  return service === undefined ? undefined : { maxServers: Number(most), service, port: Number(port) };
}
