import { list, node, type SwarmNode } from './answers.js';
import type { EngineCalls } from './calls.js';

export interface Nodes {
  /** @throws EngineError NOT_A_MANAGER */
  all(signal: AbortSignal): Promise<readonly SwarmNode[]>;
}

export function nodesOf({ call }: EngineCalls): Nodes {
  return { all: (signal) => call({ doing: 'listing nodes', method: 'GET', path: '/nodes' }, list(node), signal) };
}
