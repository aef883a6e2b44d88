/** What can be seen of replicas through the network of the load, from the harness, which is in it. */

import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { LeftOver } from '../../platform.js';
import { GATEWAY, serversUp } from '../run-on-stack/gateway.js';
import { TARGET } from '../run-on-stack/target.js';
import { PORT_LABEL } from '../run-on-stack/target-image.js';
import { WORKERS } from '../run-on-stack/worker-count.js';
import { type Stack, servicesOf } from '../stack/stack-objects.js';
import type { FaultStack } from './fault-handler.js';
import { countPerNode, type Struck, type StruckJournal, tasksNow } from './struck.js';

const CONNECT_MS = 2_000;
const ANSWER_MS = 600;

/** How long it takes to open a connection, ms; undefined when none opens in time. */
export function connectMs(address: string, port: number, withinMs = CONNECT_MS): Promise<number | undefined> {
  return new Promise((resolve) => {
    const began = performance.now();
    const socket = connect({ host: address, port, timeout: withinMs });
    const end = (result: number | undefined): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(performance.now() - began));
    socket.once('timeout', () => end(undefined)).once('error', () => end(undefined));
  });
}

/** Whether anything comes back when it is asked over HTTP. */
export async function answers(address: string, port: number, signal: AbortSignal): Promise<boolean> {
  try {
    await fetch(`http://${address}:${port}/healthz`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    return true;
  } catch {
    return false;
  }
}

/** The port of the MCP server. */
export async function targetPort(stack: Stack, signal: AbortSignal): Promise<number> {
  return Number((await servicesOf(stack, signal)).get(TARGET)?.Spec.Labels[PORT_LABEL] ?? '3000');
}

/**
 * What is not as it was: as many replicas as wanted run, all of them take connections and stand in DNS, and the gateway
 * sends to all of them. Empty when everything is.
 */
export async function notBack(
  stack: FaultStack,
  journal: StruckJournal,
  signal: AbortSignal,
): Promise<readonly LeftOver[]> {
  const { service, wanted } = journal;
  const mend = `docker service update --force ${stack.name}_${service}`;
  const now = await tasksNow(stack, service, signal);
  if (now.length !== wanted) return [{ what: `${now.length} of ${wanted} tasks of ${service} run`, mend }];
  if (!stack.isInside || service.startsWith(WORKERS)) return [];
  if (service !== TARGET) {
    const up = await serversUp(signal);
    return typeof up === 'number' && up > 0 ? [] : [{ what: `the ${service} does not answer: ${up}`, mend }];
  }
  const [port, known, hasGateway] = await Promise.all([
    targetPort(stack, signal),
    lookup(`tasks.${service}`, { all: true, family: 4 }).catch(() => []),
    servicesOf(stack, signal).then((services) => services.has(GATEWAY)),
  ]);
  const inDns = new Set(known.map(({ address }) => address));
  const found = await Promise.all(
    now.map(async ({ name, address, node }): Promise<readonly LeftOver[]> => {
      if (!inDns.has(address)) return [{ what: `${name} on ${node} is not in DNS`, mend }];
      if ((await connectMs(address, port)) === undefined)
        return [{ what: `${name} on ${node} takes no connections`, mend }];
      return [];
    }),
  );
  const left = found.flat();
  if (left.length > 0 || !hasGateway) return left;
  const up = await serversUp(signal);
  return up === wanted ? [] : [{ what: `the gateway sends to ${up} of ${wanted} replicas`, mend }];
}

/** Swarm does not move tasks back to a node that returns. */
export function movedAway(
  stack: Stack,
  { service, perNode }: StruckJournal,
  now: readonly Struck[],
): readonly LeftOver[] {
  const counts = countPerNode(now);
  const moved = Object.keys({ ...perNode, ...counts }).filter((node) => (perNode[node] ?? 0) !== (counts[node] ?? 0));
  if (moved.length === 0) return [];
  const what = moved
    .map((node) => `${node} has ${counts[node] ?? 0} replicas and had ${perNode[node] ?? 0}`)
    .join(', ');
  return [{ what, mend: `docker service update --force ${stack.name}_${service}` }];
}
