/** Waiting until a gateway lists tools: the platform starts a worker program for it, and reads what it prints. */
import { z } from 'zod';
import { type DiscoveryOrder, whereToLook } from './discovery.js';

export interface WatchOrder extends DiscoveryOrder {
  /** Servers behind the gateway whose tools (`NAME_tool_1`, ...) must all be listed. */
  readonly servers: readonly { readonly name: string; readonly tools: number }[];
}

const order: z.ZodType<WatchOrder> = z.strictObject({
  ...whereToLook,
  servers: z.array(z.strictObject({ name: z.string(), tools: z.int().positive() })),
});

/** @throws ZodError, SyntaxError for anything that is not an order */
export function parseWatchOrder(json: string): WatchOrder {
  return order.parse(JSON.parse(json));
}

/** One look at the gateway, in a session of its own; printed as a line of JSON. */
export const toolsSeen = z.strictObject({
  /** Epoch ms, with fractions, when the list was there, or when it was known that there is none. */
  atMs: z.number(),
  /** How long the session took to read the list. */
  listMs: z.number(),
  /** Tools that the gateway lists, whoever's they are. */
  listed: z.int(),
  awaited: z.int(),
  /** How many awaited tools are missing, and the first of them. */
  missing: z.int(),
  firstMissing: z.array(z.string()),
  /** Why there is no list. */
  problem: z.string().optional(),
});
export type ToolsSeen = z.infer<typeof toolsSeen>;
