import { z } from 'zod';
import type { Service } from '../engine/answers.js';

/**
 * Where in the target's service its MCP endpoint is, and where it tells Prometheus; labels of the service, for images
 * that are not the reference server.
 */
export const PORT_LABEL = 'swarmbench.mcp.port';
export const PATH_LABEL = 'swarmbench.mcp.path';
const METRICS_PORT_LABEL = 'swarmbench.metrics.port';

/**
 * The user's image in the place of the stack's own server. What the service was before stands in a label of it, so that
 * whoever comes after a killed harness can put it back.
 */

/** Image, health check and labels of the service at rest, as JSON; there only while it runs another image. */
export const REST_IMAGE_LABEL = 'swarmbench.rest.image';

export interface TargetImage {
  /** As for `docker service create`. */
  readonly image: string;
  /** Where in its container MCP is answered. */
  readonly port: number;
  readonly path: string;
}

const REPLACED_LABELS = [PORT_LABEL, PATH_LABEL, METRICS_PORT_LABEL] as const;

const atRest = z.strictObject({
  image: z.string(),
  healthcheck: z.unknown().optional(),
  labels: z.record(z.string(), z.string()),
});

/**
 * The spec with this image, or with its own again; undefined when there is nothing to change. The health check goes, as
 * it knows our server only: what the image brings of its own counts, and the gateway looks whether the port is open. So
 * does the label that has it scraped.
 */
export function withImage(
  { Spec }: Pick<Service, 'Spec'>,
  wanted: TargetImage | undefined,
): Service['Spec'] | undefined {
  const noted = Spec.Labels[REST_IMAGE_LABEL];
  if (wanted === undefined) return noted === undefined ? undefined : restored(Spec, noted);
  const own = noted === undefined ? Spec : restored(Spec, noted);
  const container = own.TaskTemplate.ContainerSpec;
  // A plugin has none, and no image.
  if (container === undefined) return undefined;
  const labels = Object.fromEntries(
    REPLACED_LABELS.flatMap((label) => (own.Labels[label] === undefined ? [] : [[label, own.Labels[label]]])),
  );
  const rest = atRest.parse({
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
      [REST_IMAGE_LABEL]: JSON.stringify(rest),
    },
    TaskTemplate: { ...own.TaskTemplate, ContainerSpec: { ...container, Image: wanted.image, Healthcheck: undefined } },
  };
  return noted !== undefined && sameTarget(Spec, next) ? undefined : next;
}

function restored(spec: Service['Spec'], noted: string): Service['Spec'] {
  const { image, healthcheck, labels } = atRest.parse(JSON.parse(noted));
  const container = spec.TaskTemplate.ContainerSpec;
  return {
    ...spec,
    Labels: { ...without(spec.Labels, [...REPLACED_LABELS, REST_IMAGE_LABEL]), ...labels },
    TaskTemplate: {
      ...spec.TaskTemplate,
      ...(container === undefined
        ? {}
        : {
            ContainerSpec: {
              ...container,
              Image: image,
              ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
            },
          }),
    },
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
