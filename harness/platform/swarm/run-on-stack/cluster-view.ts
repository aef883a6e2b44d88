/** The stack and the swarm around it, for the REST API of the harness. */
import type { SwarmNode } from '../engine/answers.js';
import { type Stack, shortName } from '../stack/stack-objects.js';
import { type ServiceStatus, stackStatus } from '../stack/stack-status.js';
import { type AskedReplica, askReplicas, holderOf, NODE_TIMEOUT_MS } from './replica-sessions.js';
import { type ScrapeTarget, scrapeTargets } from './scrape-targets.js';

export interface ClusterView {
  status(signal: AbortSignal): Promise<ClusterStatus>;
  nodes(signal: AbortSignal): Promise<readonly ClusterNode[]>;
  /** Undefined when the stack has no such service. @param name as in the stack file */
  replicas(name: string, signal: AbortSignal): Promise<ClusterReplicas | undefined>;
  scrapeTargets(signal: AbortSignal): Promise<readonly ScrapeTarget[]>;
  /** The replicas of the target, asked one by one. */
  activity(signal: AbortSignal): Promise<ClusterActivity>;
  /** Undefined when no replica says that it has it. */
  session(id: string, signal: AbortSignal): Promise<AskedReplica | undefined>;
}

interface ClusterActivity {
  readonly stack: string;
  readonly nodes: number;
  readonly activeNodes: number;
  readonly activeReplicas: number;
  /** Open sessions of all replicas that say how many they have. */
  readonly sessions: number;
  readonly nodeTimeoutMs: number;
  readonly replicas: readonly AskedReplica[];
}

interface ClusterStatus {
  readonly stack: string;
  readonly nodes: number;
  readonly activeNodes: number;
  readonly services: readonly ClusterService[];
}

interface ClusterService {
  /** As in the stack file. */
  readonly name: string;
  readonly image: string;
  readonly running: number;
  readonly wanted: number;
  readonly state: string;
  readonly lastError?: string;
}

interface ClusterNode {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly availability: string;
  /** The node is up and takes tasks. */
  readonly active: boolean;
  readonly address: string;
  readonly engine: string;
  readonly cores: number;
  readonly memoryBytes: number;
}

interface ClusterReplicas {
  readonly service: string;
  readonly running: number;
  readonly wanted: number;
  readonly replicas: readonly {
    readonly slot: number;
    readonly task: string;
    readonly node: string;
    readonly state: string;
    readonly since: string;
    readonly error?: string;
  }[];
}

export function clusterView(stack: Stack): ClusterView {
  const nodes = async (signal: AbortSignal): Promise<readonly ClusterNode[]> =>
    (await stack.engine.nodes.all(signal)).map(nodeOf);
  return {
    nodes,
    scrapeTargets: (signal) => scrapeTargets(stack, signal),
    async status(signal) {
      const [{ services }, all] = await Promise.all([stackStatus(stack, signal), nodes(signal)]);
      return {
        stack: stack.name,
        nodes: all.length,
        activeNodes: all.filter(({ active }) => active).length,
        services: services.map((service) => serviceOf(service, shortName(service.name, stack.name))),
      };
    },
    async activity(signal) {
      const [all, targets] = await Promise.all([nodes(signal), scrapeTargets(stack, signal)]);
      const replicas = await askReplicas(targets, signal);
      return {
        stack: stack.name,
        nodes: all.length,
        activeNodes: all.filter(({ active }) => active).length,
        activeReplicas: replicas.filter(({ active }) => active).length,
        sessions: replicas.reduce((sum, { sessions = 0 }) => sum + sessions, 0),
        nodeTimeoutMs: NODE_TIMEOUT_MS,
        replicas,
      };
    },
    session: async (id, signal) => holderOf(id, await scrapeTargets(stack, signal), signal),
    async replicas(wantedName, signal) {
      const { services } = await stackStatus(stack, signal);
      const service = services.find(({ name }) => shortName(name, stack.name) === wantedName);
      if (service === undefined) return undefined;
      const { running, wanted, tasks } = service;
      return {
        service: wantedName,
        running,
        wanted,
        replicas: tasks.map(({ id, error, ...task }) => ({
          ...task,
          task: id,
          ...(error === undefined ? {} : { error }),
        })),
      };
    },
  };
}

function serviceOf({ image, running, wanted, state, lastError }: ServiceStatus, name: string): ClusterService {
  return { name, image, running, wanted, state, ...(lastError === undefined ? {} : { lastError }) };
}

function nodeOf({ ID, Spec, Status, Description: { Hostname, Resources, Engine } }: SwarmNode): ClusterNode {
  return {
    id: ID,
    name: Hostname,
    role: Spec.Role,
    state: Status.State,
    availability: Spec.Availability,
    active: Status.State === 'ready' && Spec.Availability === 'active',
    address: Status.Addr,
    engine: Engine?.EngineVersion ?? '',
    cores: (Resources?.NanoCPUs ?? 0) / 1e9,
    memoryBytes: Resources?.MemoryBytes ?? 0,
  };
}
