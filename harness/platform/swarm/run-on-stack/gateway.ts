import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  GATEWAY_DEFAULTS,
  type GatewayOptions,
  renderGateway,
  STICKINESS,
  STICKY_PORTS,
  type Stickiness,
} from '../../../../swarm/gateway/render-gateway.js';
import { STACK_LABEL } from '../compose/convert/context.js';
import { type FileObject, list, type Service } from '../engine/answers.js';
import { labelOf, type Stack, type StackServices } from '../stack/stack-objects.js';
import type { Awaited } from '../stack/wait-converged.js';
import { SwarmPlatformError } from './swarm-platform-error.js';
import type { TargetImage } from './target-image.js';

/** The gateway in front of the replicas: its stickiness, where it sends to, and whether it sends to all of them. */

export const GATEWAY = 'gateway';
/** Inside the stack's networks, whatever it is published as. @param sticky undefined: in the way that is published */
export function gatewayUrl(sticky?: Stickiness): string {
  return `http://tasks.gateway:${sticky === undefined ? 8080 : STICKY_PORTS[sticky]}`;
}
const STATISTICS_URL = 'http://tasks.gateway:8404/stats;csv';

const HASH_LENGTH = 10;

const mounts = z.looseObject({
  Configs: list(
    z.looseObject({
      ConfigID: z.string(),
      ConfigName: z.string(),
      File: z.looseObject({ Name: z.string() }).nullish(),
    }),
  ),
});

/** Ports and health check that the configuration has at rest, as JSON; there only while it sends to another image. */
const REST_GATEWAY_LABEL = 'swarmbench.rest.gateway';

const atRest = z.strictObject({ port: z.number(), streamPort: z.number(), healthPath: z.string().optional() });

/**
 * Gives the gateway a configuration with this stickiness, for this image where it is not the stack's own server, and
 * keeps everything else it says. Its one task is replaced, which takes some seconds; undefined when it has that
 * configuration already.
 * @param sticky undefined: as it is
 * @throws SwarmPlatformError GATEWAY_FOREIGN
 */
export async function setGateway(
  stack: Stack,
  gateway: Service,
  sticky: Stickiness | undefined,
  image: TargetImage | undefined,
  signal: AbortSignal,
): Promise<Awaited | undefined> {
  const mounted = mounts
    .parse(gateway.Spec.TaskTemplate.ContainerSpec ?? {})
    .Configs.find(({ File }) => File?.Name.endsWith('.cfg'));
  const configs = await stack.engine.configs.labelled(labelOf(stack.name), signal);
  const text = Buffer.from(configs.find(({ ID }) => ID === mounted?.ConfigID)?.Spec.Data ?? '', 'base64').toString();
  const settings = gatewaySettings(text);
  if (mounted === undefined || settings === undefined) {
    const what =
      image === undefined
        ? `its stickiness cannot be set to ${sticky}`
        : `it cannot be sent to port ${image.port} of ${image.image}`;
    throw new SwarmPlatformError(
      'GATEWAY_FOREIGN',
      `${gateway.Spec.Name} has a configuration that is not one of ours, so ${what}`,
      '`swarmbench up` gives it one of ours',
    );
  }
  const noted = gateway.Spec.Labels[REST_GATEWAY_LABEL];
  const own = noted === undefined ? settings : { ...settings, ...atRest.parse(JSON.parse(noted)) };
  const next = {
    ...own,
    sticky: sticky ?? own.sticky,
    ...(image === undefined ? {} : { port: image.port, streamPort: image.port, healthPath: undefined }),
  };
  if (renderGateway(next) === text && (noted === undefined) === (image === undefined)) return undefined;
  const wanted = await configWith(stack, configs, next, signal);
  const { port, streamPort, healthPath } = own;
  const note = image === undefined ? undefined : JSON.stringify({ port, streamPort, healthPath });
  const { before } = await stack.engine.services.change(
    gateway.ID,
    ({ Spec }) => withConfig(withNote(Spec, note), mounted.ConfigID, wanted),
    signal,
  );
  return { id: gateway.ID, name: gateway.Spec.Name, lastUpdate: before.UpdateStatus?.StartedAt };
}

/** Back to the stack's own server, where it was sent to another image. */
export async function restGateway(stack: Stack, services: StackServices, signal: AbortSignal): Promise<void> {
  const gateway = services.get(GATEWAY);
  if (gateway?.Spec.Labels[REST_GATEWAY_LABEL] !== undefined)
    await setGateway(stack, gateway, undefined, undefined, signal);
}

function withNote(spec: Service['Spec'], note: string | undefined): Service['Spec'] {
  const { [REST_GATEWAY_LABEL]: _, ...labels } = spec.Labels;
  return { ...spec, Labels: note === undefined ? labels : { ...labels, [REST_GATEWAY_LABEL]: note } };
}

interface ConfigId {
  readonly ConfigID: string;
  readonly ConfigName: string;
}

/**
 * One of the stack's that says the same, such as the one that `up` made, or a new one; with the stack's label, so that
 * `down` removes it.
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
const LOOK_MS = 250;

/** Waits until it sends to exactly so many servers. @throws SwarmPlatformError GATEWAY_NOT_READY */
export async function waitForServers(wanted: number, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + READY_MS;
  for (;;) {
    const seen = await serversUp(signal);
    if (seen === wanted) return;
    if (performance.now() > giveUpAt) {
      const what = typeof seen === 'string' ? seen : `it sends to ${seen}`;
      throw new SwarmPlatformError(
        'GATEWAY_NOT_READY',
        `the gateway does not send to the ${wanted} replicas that run (${what} after ${READY_MS / 1000} s)`,
        'are they healthy? its page is at port 8404, /stats',
      );
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** How many replicas it sends to, or why it cannot be told. */
export async function serversUp(signal: AbortSignal): Promise<number | string> {
  try {
    const answer = await fetch(STATISTICS_URL, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
    return answer.ok ? countUp(await answer.text()) : `${STATISTICS_URL} answers ${answer.status}`;
  } catch (error) {
    signal.throwIfAborted();
    return `${STATISTICS_URL}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * HAProxy's statistics as CSV (management guide, 9.1): one line for each server of each backend. The fewest that one of
 * the ways sends to.
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

/** What a gateway's configuration says, read back from its text. Pure. */

/** Undefined when the text is not one that we would write: somebody's own configuration, or that of another version. */
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
