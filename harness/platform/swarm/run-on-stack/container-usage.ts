/** Resource use of tasks on all nodes, as the agents on the nodes report it. */
import { lookup } from 'node:dns/promises';
import { z } from 'zod';
import type { UsageSample } from '../../platform.js';

const AGENTS = 'tasks.agent';
const AGENT_PORT = 9417;
const TIMEOUT_MS = 2_000;

const container = z.object({
  labels: z.object({ service: z.string(), slot: z.string(), task: z.string() }),
  at: z.number(),
  usage: z.object({
    cpuSeconds: z.number(),
    memoryBytes: z.number(),
    networks: z.record(z.string(), z.object({ receivedBytes: z.number(), sentBytes: z.number() })),
  }),
});
export type ContainerReading = z.infer<typeof container>;

const answer = z.object({ containers: z.array(container) });

/** Readings of everything that runs in the stack, from every agent that answers. @param token of the stack's API */
export async function readContainers(
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly ContainerReading[]> {
  // The lookup fails when the stack has no agents, or none yet.
  const addresses = await lookup(AGENTS, { all: true, family: 4 }).catch(() => []);
  const answers = await Promise.all(addresses.map(({ address }) => askAgent(address, token, signal).catch(() => [])));
  return answers.flat();
}

async function askAgent(
  address: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly ContainerReading[]> {
  const response = await fetch(`http://${address}:${AGENT_PORT}/containers`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  return answer.parse(await response.json()).containers;
}

/** Turns readings of counters into samples of rates. The first reading of a task gives no sample. */
export class ContainerUsageMeter {
  private readonly before = new Map<string, ContainerReading>();

  /** @param roles of services, by their names in the stack file; other services are left out */
  constructor(private readonly roles: ReadonlyMap<string, UsageSample['role']>) {}

  /** One sample per slot, named `service.slot`; none where there is no new reading. */
  samples(readings: readonly ContainerReading[]): readonly UsageSample[] {
    const samples = new Map<string, UsageSample>();
    // Where an old and a new task share a slot for a moment, the later reading counts.
    for (const reading of readings.toSorted((a, b) => a.at - b.at)) {
      const { service, slot, task } = reading.labels;
      const role = this.roles.get(service);
      if (role === undefined) continue;
      const before = this.before.get(task);
      this.before.set(task, reading);
      if (before !== undefined && reading.at > before.at)
        samples.set(`${service}.${slot}`, { id: `${service}.${slot}`, role, ...usageBetween(before, reading) });
    }
    return [...samples.values()];
  }
}

function usageBetween(before: ContainerReading, now: ContainerReading): Omit<UsageSample, 'id' | 'role'> {
  const seconds = (now.at - before.at) / 1000;
  const rate = (of: (reading: ContainerReading) => number): number => Math.max(0, of(now) - of(before)) / seconds;
  const sum =
    (key: 'receivedBytes' | 'sentBytes') =>
    ({ usage }: ContainerReading): number =>
      Object.values(usage.networks).reduce((total, network) => total + network[key], 0);
  return {
    cpu: rate(({ usage }) => usage.cpuSeconds),
    memoryBytes: now.usage.memoryBytes,
    receivedBytesPerSecond: rate(sum('receivedBytes')),
    sentBytesPerSecond: rate(sum('sentBytes')),
  };
}
