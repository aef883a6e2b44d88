/** The swarm that the controller is part of, if any. */
import { z } from 'zod';
import type { ClusterGauges } from '../../observe/controller-metrics.js';
import { messageOf } from '../../support/error-message.js';
import { type ApiEndpoint, type Call, jsonEndpoint } from '../api-endpoint.js';
import { ApiError } from '../errors.js';

const service = z.object({
  name: z.string(),
  image: z.string(),
  running: z.number(),
  wanted: z.number(),
  state: z.string(),
  lastError: z.string().optional(),
});
const status = z.object({
  stack: z.string(),
  nodes: z.number(),
  activeNodes: z.number(),
  services: z.array(service).readonly(),
});
const node = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  state: z.string(),
  availability: z.string(),
  active: z.boolean(),
  address: z.string(),
  engine: z.string(),
  cores: z.number(),
  memoryBytes: z.number(),
});
const replica = z.object({
  slot: z.number(),
  task: z.string(),
  node: z.string(),
  state: z.string(),
  since: z.string(),
  error: z.string().optional(),
});
const replicas = z.object({
  service: z.string(),
  running: z.number(),
  wanted: z.number(),
  replicas: z.array(replica).readonly(),
});

const askedReplica = z.object({
  slot: z.number(),
  node: z.string(),
  task: z.string(),
  active: z.boolean(),
  replica: z.string().optional(),
  sessions: z.number().optional(),
});
const activity = z.object({
  stack: z.string(),
  nodes: z.number(),
  activeNodes: z.number(),
  activeReplicas: z.number(),
  sessions: z.number(),
  nodeTimeoutMs: z.number(),
  replicas: z.array(askedReplica).readonly(),
});

/** As Prometheus takes it from `http_sd_configs`. */
const scrapeTarget = z.object({
  targets: z.array(z.string()).readonly(),
  labels: z.record(z.string(), z.string()).readonly(),
});

/** The source of the answers. */
export interface ClusterSource {
  status(signal: AbortSignal): Promise<z.infer<typeof status>>;
  nodes(signal: AbortSignal): Promise<readonly z.infer<typeof node>[]>;
  /** Undefined when there is no such service. @param name as in the stack file */
  replicas(name: string, signal: AbortSignal): Promise<z.infer<typeof replicas> | undefined>;
  /** The replicas of the target, asked one by one. */
  activity(signal: AbortSignal): Promise<z.infer<typeof activity>>;
  /** Undefined when no replica says that it has the session. */
  session(id: string, signal: AbortSignal): Promise<z.infer<typeof askedReplica> | undefined>;
  /** Every task with metrics. */
  scrapeTargets(signal: AbortSignal): Promise<readonly z.infer<typeof scrapeTarget>[]>;
  /** For the metrics: as it was seen last. */
  gauges?(): ClusterGauges;
}

const ENGINE_MS = 10_000;

export function clusterEndpoints(source: ClusterSource | undefined): readonly ApiEndpoint[] {
  return [
    jsonEndpoint({
      method: 'get',
      path: '/cluster',
      access: 'viewer',
      summary: 'Shows the stack: its nodes, its services, and how many of their replicas are running.',
      answer: { status: 200, schema: status },
      handle: () => ask(source, (cluster, signal) => cluster.status(signal)),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/cluster/status',
      access: 'viewer',
      summary: 'Asks each replica of the target: which answer within nodeTimeoutMs, and how many sessions they have.',
      answer: { status: 200, schema: activity },
      handle: () => ask(source, (cluster, signal) => cluster.activity(signal)),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/cluster/sessions/:id',
      access: 'viewer',
      summary: 'Says which replica of the target has a session, by its Mcp-Session-Id.',
      answer: { status: 200, schema: askedReplica },
      handle: async (call) => {
        const found = await ask(source, (cluster, signal) => cluster.session(call.param('id'), signal));
        if (found !== undefined) return found;
        throw new ApiError(
          404,
          'SESSION_NOT_FOUND',
          'no replica of the target says that it has this session',
          'It may be over. Only replicas of the reference server say which sessions they have.',
        );
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/cluster/nodes',
      access: 'viewer',
      summary: 'Lists the nodes of the swarm.',
      query: {
        active: {
          values: ['true', 'false'],
          description: 'true: only nodes that are up and accept tasks; false: only the others.',
        },
      },
      answer: { status: 200, schema: z.object({ nodes: z.array(node) }) },
      handle: async (call) => {
        const wanted = activeOf(call);
        const nodes = await ask(source, (cluster, signal) => cluster.nodes(signal));
        return { nodes: nodes.filter(({ active }) => wanted === undefined || active === wanted) };
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/cluster/services/:name/replicas',
      access: 'viewer',
      summary: 'Lists the tasks of a service, which is named as in the stack file.',
      answer: { status: 200, schema: replicas },
      handle: async (call) => {
        const name = call.param('name');
        const found = await ask(source, (cluster, signal) => cluster.replicas(name, signal));
        if (found === undefined)
          throw new ApiError(
            404,
            'SERVICE_NOT_FOUND',
            `the stack has no service ${name}`,
            'GET /cluster lists the services.',
          );
        return found;
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/discovery',
      access: 'viewer',
      summary: 'Lists the tasks that have metrics, for the service discovery of Prometheus.',
      answer: { status: 200, schema: z.array(scrapeTarget).readonly() },
      handle: () => ask(source, (cluster, signal) => cluster.scrapeTargets(signal)),
    }),
  ];
}

function activeOf({ request }: Call): boolean | undefined {
  const { active } = request.query;
  if (active === undefined) return undefined;
  if (active === 'true' || active === 'false') return active === 'true';
  throw new ApiError(
    400,
    'BAD_REQUEST',
    `active must be true or false, not ${String(active)}`,
    'For example: GET /cluster/nodes?active=true.',
  );
}

async function ask<Answer>(
  source: ClusterSource | undefined,
  question: (source: ClusterSource, signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  if (source === undefined)
    throw new ApiError(
      404,
      'NO_CLUSTER',
      'this controller is not part of a swarm',
      'The harness service of a stack is. `swarmbench up` starts a stack.',
    );
  try {
    return await question(source, AbortSignal.timeout(ENGINE_MS));
  } catch (error) {
    throw new ApiError(
      503,
      'CLUSTER_SILENT',
      `the swarm cannot be reached: ${messageOf(error)}`,
      'Does the Docker engine of this node answer? Try `swarmbench status`.',
    );
  }
}
