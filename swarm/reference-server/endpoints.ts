/**
 * The transports that the programs of this folder serve, besides `--stdio`, and the URL of each. The harness has its
 * own table, `scenarios/schema/transports.ts`, because the image of a server contains no scenarios.
 */
import type { ServedEra } from './mcp/era.js';

export const mcpPath = '/mcp';
export const ssePath = '/sse';
export const messagesPath = '/messages';

/** Transport name to URL. */
export type Endpoints = Readonly<Record<string, string>> & { readonly 'streamable-http': string };

/** Where a program listens; without a `streamPort` it serves neither WebSocket nor lines of JSON-RPC over TCP. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly streamPort: number | undefined;
}

export function sinkEndpoints({ host, port, streamPort }: Address): Endpoints {
  return {
    'streamable-http': `http://${host}:${port}${mcpPath}`,
    ...(streamPort === undefined
      ? {}
      : { websocket: `ws://${host}:${streamPort}${mcpPath}`, tcp: `tcp://${host}:${streamPort}` }),
  };
}

/** HTTP+SSE belongs to the session era, and so does its SDK. */
export function referenceEndpoints(address: Address, era: ServedEra): Endpoints {
  return {
    ...sinkEndpoints(address),
    ...(era === 'modern' ? {} : { sse: `http://${address.host}:${address.port}${ssePath}` }),
  };
}
