/**
 * The files by which a run's platform and its fault helper (`helper-main.ts`) speak to each other, in the folder
 * `faults` of the run. Whoever conducts or heals the run later finds everything there, without a process to ask.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const count = z.number().int().min(0);
const port = z.number().int().min(1).max(65_535);

const replica = z.strictObject({
  id: z.string(),
  pid: z.number().int(),
  startTicks: z.number().int().optional(),
  /** How it was started, so that it can be started again at the same ports. */
  entry: z.string(),
  args: z.array(z.string()),
  logFile: z.string(),
  /** Of the server itself, for checks of its health. */
  url: z.string(),
  /** Before each of its ports; empty without network faults. */
  proxies: z.array(z.strictObject({ listen: port, upstream: port })),
});
export type FaultReplica = z.infer<typeof replica>;

const topology = z.strictObject({
  helper: z.strictObject({ entry: z.string(), args: z.array(z.string()), logFile: z.string() }),
  replicas: z.array(replica),
});
/** The replicas of the run, written before its load and after each restart. */
export type Topology = z.infer<typeof topology>;

export const networkRule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('partition'), direction: z.enum(['both', 'in', 'out']) }),
  z.strictObject({ kind: z.literal('delay'), delayMs: z.number().min(0), jitterMs: z.number().min(0) }),
  z.strictObject({ kind: z.literal('rate'), bytesPerSecond: z.number().positive() }),
  /** `seed` decides which connections it strikes. */
  z.strictObject({ kind: z.literal('reset'), share: z.number().min(0).max(1), seed: z.number() }),
]);
export type NetworkRule = z.infer<typeof networkRule>;

const orders = z.strictObject({
  /** Grows with every change. */
  version: count,
  rules: z.array(z.strictObject({ faultId: z.string(), replica: z.string(), rule: networkRule })),
  paused: z.array(
    z.strictObject({ faultId: z.string(), pid: z.number().int(), startTicks: z.number().int().optional() }),
  ),
});
/** What the helper has to bring about, written by the platform. */
export type Orders = z.infer<typeof orders>;

export const proxyCounts = z.strictObject({
  /** Connections that are open, and all so far. */
  open: count,
  connections: count,
  /** Bytes passed on to the replica and from it, all so far. */
  bytesIn: count,
  bytesOut: count,
  /** Bytes that are held back now. */
  heldBytes: count,
  /** Connections that were reset on purpose, all so far. */
  resets: count,
});
export type ProxyCounts = z.infer<typeof proxyCounts>;

const state = z.strictObject({
  pid: z.number().int(),
  startTicks: z.number().int().optional(),
  /** Of the orders that are in effect. */
  version: count,
  /** The lease was lost: everything was undone, whatever the orders say. */
  released: z.boolean(),
  proxies: z.record(z.string(), proxyCounts),
});
/** What the helper sees, written by it. */
export type HelperState = z.infer<typeof state>;

export const noOrders: Orders = { version: 0, rules: [], paused: [] };

const names = { topology: 'topology.json', orders: 'orders.json', state: 'state.json' } as const;

export function faultFolder(runFolder: string): string {
  return join(runFolder, 'faults');
}

export function faultFile(runFolder: string, name: keyof typeof names): string {
  return join(faultFolder(runFolder), names[name]);
}

export function writeTopology(runFolder: string, value: Topology): void {
  write(runFolder, 'topology', value);
}

export function writeOrders(runFolder: string, value: Orders): void {
  write(runFolder, 'orders', value);
}

export function writeState(runFolder: string, value: HelperState): void {
  write(runFolder, 'state', value);
}

/** Undefined when the run has none, or when it cannot be read. */
export function readTopology(runFolder: string): Topology | undefined {
  return read(runFolder, 'topology', topology);
}

export function readOrders(runFolder: string): Orders | undefined {
  return read(runFolder, 'orders', orders);
}

export function readState(runFolder: string): HelperState | undefined {
  return read(runFolder, 'state', state);
}

/** Renamed into place, so that a reader finds all of it or the one before. */
function write(runFolder: string, name: keyof typeof names, value: unknown): void {
  const path = faultFile(runFolder, name);
  mkdirSync(faultFolder(runFolder), { recursive: true });
  writeFileSync(`${path}.next`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${path}.next`, path);
}

function read<Schema extends z.ZodType>(
  runFolder: string,
  name: keyof typeof names,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(faultFile(runFolder, name), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
