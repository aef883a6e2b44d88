/** What scenarios need to know of each way to reach a server. A transport that is not here is not built. */
interface TransportFacts {
  /** Of URLs that name a server for it, as `URL.protocol` has them. */
  readonly schemes: readonly string[];
  /** Whether it has a place for the target's headers. */
  readonly headers: boolean;
  /** Eras it exists in. */
  readonly eras: readonly ('legacy' | 'modern')[];
  /** Which of our own servers speak it. */
  readonly servers: readonly ('reference' | 'sink')[];
  /** One connection is the session and carries any number of requests at once; there is nothing to gain from a second one. */
  readonly oneConnection: boolean;
  /** Whether a connection can carry a request before the last one was answered. */
  readonly pipelines: boolean;
  /** The transport whose servers it speaks to, where that is another one. */
  readonly speaks?: string;
  /** Keys of `misbehave` it can do on its wire; any other than `idle` is refused by name. */
  readonly misbehave?: readonly string[];
}

export const transports = {
  'streamable-http': { schemes: ['http:', 'https:'], headers: true, eras: ['legacy', 'modern'], servers: ['reference', 'sink'], oneConnection: false, pipelines: true, misbehave: ['readRate', 'writeRate', 'abort', 'malformed', 'reconnect'] },
  websocket: { schemes: ['ws:', 'wss:'], headers: true, eras: ['legacy', 'modern'], servers: ['reference', 'sink'], oneConnection: true, pipelines: true, misbehave: ['readRate'] },
  tcp: { schemes: ['tcp:'], headers: false, eras: ['legacy', 'modern'], servers: ['reference', 'sink'], oneConnection: true, pipelines: true, misbehave: ['readRate'] },
  sse: { schemes: ['http:', 'https:'], headers: true, eras: ['legacy'], servers: ['reference'], oneConnection: false, pipelines: true, misbehave: ['readRate'] },
  stdio: { schemes: [], headers: false, eras: ['legacy', 'modern'], servers: [], oneConnection: true, pipelines: true, misbehave: [] },
  sdk: { schemes: ['http:', 'https:'], headers: true, eras: ['legacy', 'modern'], servers: ['reference', 'sink'], oneConnection: false, pipelines: false, speaks: 'streamable-http', misbehave: [] },
} as const satisfies Record<string, TransportFacts>;

export type TransportName = keyof typeof transports;

export const transportNames = Object.keys(transports) as readonly TransportName[];

export function isTransport(name: string): name is TransportName {
  return name in transports;
}

export function factsOf(transport: TransportName): TransportFacts {
  return transports[transport];
}

/** Whether a URL can name a server for this transport. */
export function canReach(transport: TransportName, url: string): boolean {
  return factsOf(transport).schemes.includes(new URL(url).protocol);
}

/** Schemes that any transport has a use for. */
export function knownSchemes(): readonly string[] {
  return [...new Set(transportNames.flatMap((name) => factsOf(name).schemes))];
}
