/** What the agents on the nodes report: the resource use of containers, and what happened to them. */
import { z } from 'zod';
import type { UsageSample } from '../../platform.js';

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

const containerEvent = z.object({
  id: z.string(),
  action: z.string(),
  container: z.string(),
  labels: z.object({ service: z.string(), slot: z.string(), task: z.string(), node: z.string() }),
  at: z.number(),
  exitCode: z.number().optional(),
  signal: z.number().optional(),
});
export type ContainerEvent = z.infer<typeof containerEvent>;

const answer = z.object({ containers: z.array(container), events: z.array(containerEvent).default([]) });
export type AgentReport = z.infer<typeof answer>;

/** @param address of the agent in the stack's networks; `token`: of the stack's API @throws Error when it is silent */
export async function askAgent(address: string, token: string | undefined, signal: AbortSignal): Promise<AgentReport> {
  const response = await fetch(`http://${address}:${AGENT_PORT}/containers`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  return answer.parse(await response.json());
}

/** Turns readings of counters into samples of rates. The first reading of a task gives no sample. */
export class ContainerUsageMeter {
  private readonly before = new Map<string, ContainerReading>();

  /** @param roleOf role of a service, by its name in the stack file; services without one are left out */
  constructor(private readonly roleOf: (service: string) => UsageSample['role'] | undefined) {}

  /** One sample per slot, named `service.slot`; none where there is no new reading. */
  samples(readings: readonly ContainerReading[]): readonly UsageSample[] {
    const samples = new Map<string, UsageSample>();
    // Where an old and a new task share a slot for a moment, the later reading counts.
    for (const reading of readings.toSorted((a, b) => a.at - b.at)) {
      const { service, slot, task } = reading.labels;
      const role = this.roleOf(service);
      if (role === undefined) continue;
      const before = this.before.get(task);
      this.before.set(task, reading);
      // A container that ends gives a last reading without its counts.
      const isReading = before !== undefined && reading.usage.cpuSeconds >= before.usage.cpuSeconds;
      if (isReading && reading.at > before.at)
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
