/**
 * Images made from Debian packages in place of public ones, for machines that cannot pull: with the same paths, users
 * and commands (see stand-in.sh).
 */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import type { MadeImages } from '../../../harness/platform/swarm/images/build-images.js';
import {
  type BuiltImage,
  ensureImage,
  findImage,
  finish,
  type MadeImage,
  nameAndTag,
  type OnImageProgress,
} from '../../../harness/platform/swarm/images/engine-images.js';
import { CONTENT_LABEL, REPOSITORY } from '../../../harness/platform/swarm/images/own-images.js';
import { withLock } from '../lock.js';
import { packageRoot } from '../package-root.js';

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
  // Not part of the stack; for clusters that have no registry to push to.
  {
    name: 'registry',
    variable: 'REGISTRY_IMAGE',
    changes: ['ENTRYPOINT ["/bin/registry"]', 'CMD ["serve","/etc/docker/registry/config.yml"]', 'EXPOSE 5000'],
  },
] as const satisfies readonly StandIn[];

type StandInName = (typeof STAND_INS)[number]['name'];

/** What the stack would pull. */
const STACK_STAND_INS = STAND_INS.map(({ name }) => name).filter((name) => name !== 'registry');

/** Grafana is in no Debian release; the rest of the stack does without it. */
export const WITHOUT_GRAFANA = { GRAFANA_REPLICAS: '0' } as const;

const SCRIPT = join(packageRoot, 'tests', 'support', 'swarm', 'stand-in.sh');
const PATH = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const TAG_LENGTH = 12;

class StandInError extends Error {
  override readonly name = 'StandInError';
}

/**
 * Quick when the engine has them; of several processes that ask at the same time one makes them.
 * @param names default: all that the stack needs
 * @throws StandInError where there are no Debian packages to make them from
 */
export function makeStandIns(
  docker: Docker,
  signal: AbortSignal,
  names: readonly StandInName[] = STACK_STAND_INS,
  onProgress: OnImageProgress = () => undefined,
): Promise<MadeImages> {
  return withLock('stand-ins', async () => {
    const images: MadeImage[] = [];
    const environment: Record<string, string> = {};
    for (const recipe of await recipesOf(names, signal)) {
      const made = await ensureImage(docker, recipe.reference, onProgress, () => importStandIn(docker, recipe, signal));
      images.push(made);
      environment[recipe.standIn.variable] = made.name;
    }
    return { images, environment };
  });
}

interface Recipe {
  readonly standIn: StandIn;
  /** Name and tag; the tag changes with the content. */
  readonly reference: string;
  readonly digest: string;
}

async function recipesOf(names: readonly StandInName[], signal: AbortSignal): Promise<readonly Recipe[]> {
  const chosen = STAND_INS.filter(({ name }) => names.includes(name));
  const { stdout } = await promisify(execFile)(SCRIPT, ['key', ...chosen.map(({ name }) => name)], { signal }).catch(
    (error: unknown) => {
      throw standInError('cannot tell what the stand-ins would be made from', stderrOf(error));
    },
  );
  const digests = stdout.trim().split('\n');
  return chosen.map((standIn, index) => {
    const digest = digests[index] ?? '';
    return { standIn, digest, reference: `${REPOSITORY}/stand-in-${standIn.name}:${digest.slice(0, TAG_LENGTH)}` };
  });
}

async function importStandIn(
  docker: Docker,
  { standIn, reference, digest }: Recipe,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const maker = spawn(SCRIPT, ['rootfs', standIn.name], { stdio: ['ignore', 'pipe', 'pipe'], signal });
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
    throw standInError(`the stand-in for ${standIn.name} could not be made`, Buffer.concat(errors).toString());
  }
  if (imported.status === 'rejected') {
    signal.throwIfAborted();
    throw standInError(`the engine refused the stand-in for ${standIn.name}`, String(imported.reason));
  }
  const image = await findImage(docker, reference);
  if (image === undefined) throw standInError(`the engine does not know ${reference} after its import`, '');
  return image;
}

function standInError(message: string, detail: string): StandInError {
  return new StandInError(detail.trim() === '' ? message : `${message}: ${detail.trim()}`);
}

function stderrOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : String(error);
}
