/**
 * Images made from Debian packages in place of public ones: same paths, users and commands (see
 * swarm/images/stand-in.sh).
 */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { type BuiltImage, findImage, finish, nameAndTag } from './engine-images.js';
import { ImageError } from './image-error.js';
import { CONTENT_LABEL, REPOSITORY } from './own-images.js';

interface StandIn {
  readonly name: string;
  /** Selects the image in the stack file, or as the base of our own images. */
  readonly variable: string;
  /** Dockerfile instructions, as the official image has them. No STOPSIGNAL: older engines refuse it in an import. */
  readonly changes: readonly string[];
}

export const STAND_INS = [
  { name: 'node', variable: 'NODE_IMAGE', changes: ['CMD ["node"]'] },
  {
    name: 'haproxy',
    variable: 'HAPROXY_IMAGE',
    changes: ['CMD ["haproxy","-W","-db","-f","/usr/local/etc/haproxy/haproxy.cfg"]', 'USER haproxy'],
  },
  {
    name: 'prometheus',
    variable: 'PROMETHEUS_IMAGE',
    changes: [
      'ENTRYPOINT ["/bin/prometheus"]',
      'CMD ["--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/prometheus"]',
      'WORKDIR /prometheus',
      'USER nobody',
      'EXPOSE 9090',
    ],
  },
  {
    name: 'node-exporter',
    variable: 'NODE_EXPORTER_IMAGE',
    changes: ['ENTRYPOINT ["/bin/node_exporter"]', 'USER nobody', 'EXPOSE 9100'],
  },
  {
    name: 'alertmanager',
    variable: 'ALERTMANAGER_IMAGE',
    changes: [
      'ENTRYPOINT ["/bin/alertmanager"]',
      'CMD ["--config.file=/etc/alertmanager/alertmanager.yml","--storage.path=/alertmanager"]',
      'WORKDIR /alertmanager',
      'USER nobody',
      'EXPOSE 9093',
    ],
  },
  { name: 'nettools', variable: 'NETTOOLS_IMAGE', changes: ['CMD ["sh"]'] },
  // No part of the stack; for clusters that have no registry to push to.
  {
    name: 'registry',
    variable: 'REGISTRY_IMAGE',
    changes: ['ENTRYPOINT ["/bin/registry"]', 'CMD ["serve","/etc/docker/registry/config.yml"]', 'EXPOSE 5000'],
  },
] as const satisfies readonly StandIn[];

export type StandInName = (typeof STAND_INS)[number]['name'];

const PATH = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const TAG_LENGTH = 12;

interface StandInRecipe {
  readonly standIn: StandIn;
  /** Name and tag; the tag changes with the content. */
  readonly reference: string;
  readonly digest: string;
}

/**
 * What would be made on this machine. @throws ImageError STAND_IN_FAILED where there are no Debian packages to make it
 * from
 */
export async function standInRecipes(
  names: readonly StandInName[],
  packageRoot: string,
  signal: AbortSignal,
): Promise<readonly StandInRecipe[]> {
  const chosen = STAND_INS.filter(({ name }) => names.includes(name));
  const { stdout } = await promisify(execFile)(script(packageRoot), ['key', ...chosen.map(({ name }) => name)], {
    signal,
  }).catch((error: unknown) => {
    throw failed('cannot tell what the stand-ins would be made from', stderrOf(error));
  });
  const digests = stdout.trim().split('\n');
  return chosen.map((standIn, index) => {
    const digest = digests[index] ?? '';
    return { standIn, digest, reference: `${REPOSITORY}/stand-in-${standIn.name}:${digest.slice(0, TAG_LENGTH)}` };
  });
}

/** @throws ImageError STAND_IN_FAILED */
export async function importStandIn(
  docker: Docker,
  { standIn, reference, digest }: StandInRecipe,
  packageRoot: string,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const maker = spawn(script(packageRoot), ['rootfs', standIn.name], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const errors: Buffer[] = [];
  maker.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => maker.once('error', reject).once('close', resolve));
  const changes = [PATH, `LABEL ${CONTENT_LABEL}=${digest}`, ...standIn.changes];
  const importing = docker
    .importImage(maker.stdout, { ...nameAndTag(reference), changes, abortSignal: signal })
    .then((stream) => finish(docker, stream));
  const [made, imported] = await Promise.allSettled([ended, importing]);
  if (made.status === 'rejected' || made.value !== 0) {
    // A half-written tar may have been imported all the same; it must not pass for the image next time.
    await docker
      .getImage(reference)
      .remove()
      .catch(() => undefined);
    signal.throwIfAborted();
    throw failed(`the stand-in for ${standIn.name} could not be made`, Buffer.concat(errors).toString());
  }
  if (imported.status === 'rejected') {
    signal.throwIfAborted();
    throw failed(`the engine refused the stand-in for ${standIn.name}`, String(imported.reason));
  }
  const image = await findImage(docker, reference);
  if (image === undefined) throw failed(`the engine does not know ${reference} after its import`, '');
  return image;
}

function script(packageRoot: string): string {
  return join(packageRoot, 'swarm', 'images', 'stand-in.sh');
}

function failed(message: string, detail: string): ImageError {
  return new ImageError(
    'STAND_IN_FAILED',
    detail.trim() === '' ? message : `${message}: ${detail.trim()}`,
    'on a machine that can pull, leave out --offline',
  );
}

function stderrOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : String(error);
}
