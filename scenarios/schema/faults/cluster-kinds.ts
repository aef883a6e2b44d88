/** Faults of a swarm: of its rollouts and its nodes. */
import { z } from 'zod';
import { TARGET_SERVICE, wholeNumber } from '../keys/fields.js';
import { type FaultKind, missingKey } from './fault-kind.js';
import { describeNode, nodeKeys, nodeSubjects, resolveTarget, service, type Targeted } from './fault-targets.js';

const image = z
  .string()
  .min(1)
  .optional()
  .describe(
    'With `kind: rolling-update`: the image that the replicas get. With `kind: bad-image`: an image that does not ' +
      'exist or does not start. Default of the latter: one that does not exist.',
  );

const updateKeys = {
  service,
  image,
  environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, { error: 'not the name of an environment variable' }), z.string())
    .optional()
    .describe('With `kind: rolling-update`: environment variables that the replicas get.'),
  order: z
    .enum(['stop-first', 'start-first'])
    .optional()
    .describe('With `kind: rolling-update`: whether the old or the new task comes first. Default: as the service has.'),
  parallelism: wholeNumber(1, 64)
    .optional()
    .describe('With `kind: rolling-update`: how many replicas are replaced at once. Default: as the service has.'),
};

interface RollingUpdate {
  readonly kind: 'rolling-update';
  readonly service: string;
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly order?: 'stop-first' | 'start-first';
  readonly parallelism?: number;
}

export const rollingUpdate: FaultKind<RollingUpdate, typeof updateKeys> = {
  description:
    'replaces all replicas of a service one after the other, as an update of its image or environment does; without ' +
    'either, by force',
  connections: { open: 'of each replica end when its turn comes', new: 'go to the replicas that run' },
  lasts: 'time',
  keys: updateKeys,
  resolve: ({ service: updated = TARGET_SERVICE, image: to, environment, order, parallelism }) => ({
    kind: 'rolling-update',
    service: updated,
    ...(to === undefined ? {} : { image: to }),
    ...(environment === undefined ? {} : { environment }),
    ...(order === undefined ? {} : { order }),
    ...(parallelism === undefined ? {} : { parallelism }),
  }),
  describe: ({ service: updated, image: to, environment, order, parallelism }) => {
    const how = [order, parallelism === undefined ? undefined : `${parallelism} at once`].filter(Boolean).join(', ');
    return `update ${updated} ${updateBy(to, environment)}${how === '' ? '' : ` (${how})`}`;
  },
  subjects: ({ service: updated }) => ({ of: 'service', service: updated }),
};

function updateBy(to: string | undefined, environment: RollingUpdate['environment']): string {
  const by = [
    ...(to === undefined ? [] : [`to ${to}`]),
    ...(environment === undefined ? [] : [`with ${Object.keys(environment).join(', ')}`]),
  ];
  return by.length === 0 ? 'by force' : by.join(' and ');
}

/** An image that nobody has: `.invalid` is reserved for that (RFC 2606). */
const NO_IMAGE = 'registry.invalid/no-such-image:1';
const badImageKeys = { service, image };

interface BadImage {
  readonly kind: 'bad-image';
  readonly service: string;
  readonly image: string;
}

export const badImage: FaultKind<BadImage, typeof badImageKeys> = {
  description: 'updates a service to an image that does not start, so that its rollback can be seen and timed',
  connections: { open: 'end at the replicas that the update reached', new: 'go to the replicas that run' },
  lasts: 'time',
  keys: badImageKeys,
  resolve: ({ service: updated = TARGET_SERVICE, image: bad = NO_IMAGE }) => ({
    kind: 'bad-image',
    service: updated,
    image: bad,
  }),
  describe: ({ service: updated, image: bad }) => `update ${updated} to ${bad}, which does not start`,
  subjects: ({ service: updated }) => ({ of: 'service', service: updated }),
};

interface NodeFault<Kind extends string> extends Targeted {
  readonly kind: Kind;
}

function nodeKind<Kind extends string>(
  kind: Kind,
  verb: string,
  about: Pick<FaultKind<NodeFault<Kind>>, 'description' | 'connections'>,
): FaultKind<NodeFault<Kind>, typeof nodeKeys> {
  return {
    ...about,
    lasts: 'time',
    keys: nodeKeys,
    resolve(source, context) {
      const { node, leader: ofLeader, serving, replica } = source;
      if ([node, ofLeader, serving, replica].every((value) => value === undefined))
        return missingKey(context, 'node', kind, `{ at: 30s, kind: ${kind}, node: n2, for: 30s }`);
      // A node is one of several, and which replicas it has is known when the fault begins.
      const targeted = resolveTarget({ ...source, allowTotal: true }, context);
      return targeted && { kind, target: targeted.target };
    },
    describe: ({ target }) => `${verb} ${describeNode(target)}`,
    subjects: nodeSubjects,
  };
}

export const drain = nodeKind('drain', 'drain', {
  description: 'moves all tasks away from a node',
  connections: { open: 'are served to the end, as far as the servers do that', new: 'go to the other nodes' },
});

export const nodeCut = nodeKind('node-cut', 'cut off', {
  description: 'cuts all traffic of a node',
  connections: { open: 'stay open and silent', new: 'get no answer until the gateway or Swarm has noticed' },
});

export const nodeDown = nodeKind('node-down', 'kill the engine of', {
  description: 'kills the Docker engine of a node',
  connections: { open: 'go on: the containers live until Swarm replaces them', new: 'go on, until Swarm has noticed' },
});

const leaderKeys = {};

interface Leader {
  readonly kind: 'leader';
}

export const leader: FaultKind<Leader, typeof leaderKeys> = {
  description: 'kills the Docker engine of the leader of the managers',
  connections: { open: 'go on', new: 'go on; orders to the swarm wait for a new leader' },
  lasts: 'time',
  keys: leaderKeys,
  resolve: () => ({ kind: 'leader' }),
  describe: () => 'kill the engine of the leader of the managers',
  subjects: () => ({ of: 'node', node: 'unknown' }),
};
