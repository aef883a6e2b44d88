/** Orders to the agents on the nodes: each node's engine only knows its own containers. */
import { z } from 'zod';
import {
  type ContainerState,
  containerState,
  type FaultName,
  type FaultOrder,
  type FaultState,
  faultStates,
} from '../../../agent/fault-orders.js';
import { FaultRefused } from '../../platform.js';
import type { Task } from '../engine/answers.js';
import { addressOf } from '../run-on-stack/running-tasks.js';
import { type Stack, servicesOf } from '../stack/stack-objects.js';

const AGENT = 'agent';
const PORT = 9417;
const ORDER_MS = 25_000;
const ASK_MS = 5_000;

const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export interface NodeAgent {
  /** @throws FaultRefused when nothing was changed */
  order(order: FaultOrder, signal: AbortSignal): Promise<void>;
  renew(name: FaultName, signal: AbortSignal): Promise<void>;
  undo(name: FaultName, signal: AbortSignal): Promise<void>;
  /** What is on, or was until a moment ago. */
  states(signal: AbortSignal): Promise<readonly FaultState[]>;
  /** Undefined when the node has no such container. */
  look(container: string, signal: AbortSignal): Promise<ContainerState | undefined>;
}

export interface Agents {
  /** @param nodeId as Swarm knows it @throws FaultRefused when no agent runs there */
  on(nodeId: string, signal: AbortSignal): Promise<NodeAgent>;
  /** By the id of the node. */
  all(signal: AbortSignal): Promise<ReadonlyMap<string, NodeAgent>>;
}

/** Through the control network of the stack. */
export class NodeAgents implements Agents {
  constructor(
    private readonly stack: Stack,
    private readonly token: string | undefined,
  ) {}

  async on(nodeId: string, signal: AbortSignal): Promise<NodeAgent> {
    const found = (await this.all(signal)).get(nodeId);
    if (found !== undefined) return found;
    throw new FaultRefused(
      `no agent of the stack ${this.stack.name} runs on node ${nodeId}, and faults need one there`,
    );
  }

  async all(signal: AbortSignal): Promise<ReadonlyMap<string, NodeAgent>> {
    const service = (await servicesOf(this.stack, signal)).get(AGENT);
    if (service === undefined) return new Map();
    const tasks = await this.stack.engine.tasks.upToDate([service.ID], signal);
    return new Map(
      tasks.filter(isRunning).flatMap((task) => {
        const address = addressOf(task, `${this.stack.name}_control`);
        return address === undefined ? [] : [[task.NodeID, this.at(address)] as const];
      }),
    );
  }

  private at(address: string): NodeAgent {
    const post = (path: string, body: object, signal: AbortSignal): Promise<unknown> =>
      this.ask(address, path, { method: 'POST', body: JSON.stringify(body) }, ORDER_MS, signal);
    const get = (path: string, signal: AbortSignal): Promise<unknown> => this.ask(address, path, {}, ASK_MS, signal);
    return {
      order: async (order, signal) => void (await post('/faults', order, signal)),
      renew: async (name, signal) => void (await post('/faults/renew', name, signal)),
      undo: async (name, signal) => void (await post('/faults/undo', name, signal)),
      states: async (signal) => faultStates.parse(await get('/faults', signal)).faults,
      look: async (container, signal) => {
        const answer = await get(`/faults/containers/${container}`, signal);
        return answer === undefined ? undefined : containerState.parse(answer);
      },
    };
  }

  private async ask(
    address: string,
    path: string,
    init: RequestInit,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const answer = await fetch(`http://${address}:${PORT}${path}`, {
      ...init,
      headers: {
        'content-type': 'application/json',
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.ok) return body;
    if (answer.status === 404 && init.method === undefined) return undefined;
    const { error } = failure.safeParse(body).data ?? { error: { code: '', message: `HTTP ${answer.status}` } };
    if (error.code === 'REFUSED' || error.code === 'ORDER') throw new FaultRefused(error.message);
    throw new Error(`the agent at ${address}: ${error.message}`);
  }
}

function isRunning({ DesiredState, Status }: Task): boolean {
  return DesiredState === 'running' && Status.State === 'running';
}
