/** A look at a server, without load: the command line asks a worker program for it over its standard streams. */
import { z } from 'zod';
import { type TransportName, transportNames } from '../../scenarios/schema/transports.js';
import { type Endpoint, exchange, pinnedProtocol } from './messages.js';
import { endpointCodec } from './order-codec.js';

export interface DiscoveryOrder {
  readonly endpoint: Endpoint;
  readonly transport: TransportName;
  readonly era: 'auto' | 'legacy' | 'modern';
}

/** What any look at a server needs, whatever else it asks for. */
export const whereToLook = {
  endpoint: endpointCodec,
  transport: z.enum(transportNames),
  era: z.enum(['auto', 'legacy', 'modern']),
};
const order: z.ZodType<DiscoveryOrder> = z.strictObject(whereToLook);

/** @throws ZodError for anything that is not an order */
export function parseDiscoveryOrder(json: string): DiscoveryOrder {
  return order.parse(JSON.parse(json));
}

/** What the server says of one of its tools, resources or prompts, as it says it. */
const listed = z.record(z.string(), z.unknown());

const foundTool = z.strictObject({
  name: z.string(),
  /** Its entry in tools/list. */
  entry: listed,
  /** By its hints; `unsaid`: it has none. */
  destructiveness: z.enum(['read-only', 'additive', 'destructive', 'unsaid']),
  /** Arguments that `arguments: auto` would make up, as an example. */
  arguments: z.unknown().optional(),
  /** Why `arguments: auto` would refuse it. */
  refused: z.string().optional(),
});

export const discovery = z.strictObject({
  /** The first thing that went wrong, if anything did; what was found before it is there all the same. */
  problem: z.string().optional(),
  pinned: pinnedProtocol.optional(),
  serverInfo: z.strictObject({ name: z.string(), version: z.string() }).optional(),
  capabilities: listed,
  instructions: z.string().optional(),
  tools: z.array(foundTool),
  /** Tools that a client must leave out, with the reason. */
  forbiddenTools: z.array(z.strictObject({ name: z.string(), why: z.string() })),
  resources: z.array(listed),
  prompts: z.array(listed),
  exchanges: z.array(exchange),
});
export type Discovery = z.infer<typeof discovery>;
export type FoundTool = z.infer<typeof foundTool>;
