/**
 * Runs an image of the user's in place of the stack's own server. What the service was before is kept in one of its
 * labels, so that it can be restored even after the harness was killed.
 */
import { z } from 'zod';
import type { Service } from '../engine/answers.js';

// Labels of the target's service: where its MCP endpoint is, and where Prometheus finds its metrics.
export const PORT_LABEL = 'swarmbench.mcp.port';
export const PATH_LABEL = 'swarmbench.mcp.path';
const METRICS_PORT_LABEL = 'swarmbench.metrics.port';

/** Image, health check and labels of the idle service, as JSON; set only while it runs another image. */
export const IDLE_IMAGE_LABEL = 'swarmbench.rest.image';

export interface TargetImage {
  /** As for `docker service create`. */
  readonly image: string;
  /** Port and path of its MCP endpoint. */
  readonly port: number;
  readonly path: string;
}

const REPLACED_LABELS = [PORT_LABEL, PATH_LABEL, METRICS_PORT_LABEL] as const;

const idleState = z.strictObject({
  image: z.string(),
  healthcheck: z.unknown().optional(),
  labels: z.record(z.string(), z.string()),
});

/**
 * The spec with this image, or with its own again; undefined when nothing has to change. The health check is removed,
 * because it fits our server only: the image's own counts, and the gateway checks whether the port is open. The label
 * for Prometheus is removed, too.
 */
export function withImage(
  { Spec }: Pick<Service, 'Spec'>,
  wanted: TargetImage | undefined,
): Service['Spec'] | undefined {
  const kept = Spec.Labels[IDLE_IMAGE_LABEL];
  if (wanted === undefined) return kept === undefined ? undefined : restored(Spec, kept);
  const own = kept === undefined ? Spec : restored(Spec, kept);
  const container = own.TaskTemplate.ContainerSpec;
  // The service of a plugin has neither a container nor an image.
  if (container === undefined) return undefined;
  const labels = Object.fromEntries(
    REPLACED_LABELS.flatMap((label) => (own.Labels[label] === undefined ? [] : [[label, own.Labels[label]]])),
  );
  const idle = idleState.parse({
    image: container.Image,
    ...(container.Healthcheck === undefined ? {} : { healthcheck: container.Healthcheck }),
    labels,
  });
  const next: Service['Spec'] = {
    ...own,
    Labels: {
      ...without(own.Labels, REPLACED_LABELS),
      [PORT_LABEL]: String(wanted.port),
      [PATH_LABEL]: wanted.path,
      [IDLE_IMAGE_LABEL]: JSON.stringify(idle),
    },
    TaskTemplate: { ...own.TaskTemplate, ContainerSpec: { ...container, Image: wanted.image, Healthcheck: undefined } },
  };
  return kept !== undefined && sameTarget(Spec, next) ? undefined : next;
}

function restored(spec: Service['Spec'], kept: string): Service['Spec'] {
  const { image, healthcheck, labels } = idleState.parse(JSON.parse(kept));
  const own = healthcheck === undefined ? { Image: image } : { Image: image, Healthcheck: healthcheck };
  const { ContainerSpec, ...template } = spec.TaskTemplate;
  return {
    ...spec,
    Labels: { ...without(spec.Labels, [...REPLACED_LABELS, IDLE_IMAGE_LABEL]), ...labels },
    TaskTemplate: ContainerSpec === undefined ? template : { ...template, ContainerSpec: { ...ContainerSpec, ...own } },
  };
}

function sameTarget(a: Service['Spec'], b: Service['Spec']): boolean {
  return (
    a.TaskTemplate.ContainerSpec?.Image === b.TaskTemplate.ContainerSpec?.Image &&
    [PORT_LABEL, PATH_LABEL].every((label) => a.Labels[label] === b.Labels[label])
  );
}

function without(labels: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}
