/** What scenarios, platforms and reports need to know of each transport. A new transport begins with its facts here. */
import type { AbortKind, MalformedKind } from './misbehave.js';

export interface TransportFacts {
  /** A phrase for the description of `transport`. */
  readonly summary: string;
  /** Schemes of the URLs that name a server for it, as `URL.protocol` has them. */
  readonly schemes: readonly string[];
  /** How it puts messages on its connections. */
  readonly framing: 'http' | 'websocket' | 'line';
  /** Whether requests can carry the target's headers and tokens. */
  readonly headers: boolean;
  readonly eras: readonly ('legacy' | 'modern')[];
  /** How our own servers speak it; absent where they do not. */
  readonly own?: OwnServers;
  /** The session is one connection, which carries any number of requests at once. A second one gains nothing. */
  readonly oneConnection: boolean;
  /** Whether a connection can carry a request before the last one was answered. */
  readonly pipelines: boolean;
  /** The transport that its servers speak, where that has another name. */
  readonly wireTransport?: string;
  /** Whether a profile may set `gateway.sticky`. */
  readonly ownStickiness: boolean;
  readonly misbehaviour: MisbehaviourSupport;
  /**
   * How messages that answer no request reach the client: on streams of their own, which can be resumed; on the
   * connection that carries everything, and lost with it; or not at all.
   */
  readonly serverMessages: 'streams' | 'connection' | 'none';
  /** Every session starts a server of its own, which knows no other session. */
  readonly ownServer: boolean;
}

export interface OwnServers {
  readonly servers: readonly ('reference' | 'sink')[];
  /** A server listens at one port for HTTP and at another for connections that stay. */
  readonly listener: 'http' | 'stream';
  readonly scheme: 'http:' | 'ws:' | 'tcp:';
  readonly path: '/mcp' | '/sse' | '';
  /** What the gateway of a stack spreads over the replicas, or why it cannot. */
  readonly gateway: 'requests' | 'connections' | { readonly refused: string };
}

/** Which kinds of `misbehave` a transport can do. `idle` is missing here, because any client can be idle. */
export interface MisbehaviourSupport {
  /** Keys of `misbehave` that it cannot do, with the reason. */
  readonly unsupported?: Readonly<Record<string, string>>;
  readonly aborts: readonly AbortKind[];
  readonly malformed: readonly MalformedKind[];
  /** A session can outlive its connections. */
  readonly keepsSession: boolean;
}

const aborts = ['mid-request', 'after-request', 'mid-answer'] as const;
const malformedAnywhere = [
  'broken-json',
  'wrong-framing',
  'unknown-method',
  'duplicate-id',
  'oversize',
  'not-utf8',
] as const;

const sdkReason = 'the library of the SDK decides what its connections carry';
const stdioReason =
  'its connection is a process that was started for it, and to lose the connection is to end the process';

const http = { listener: 'http', scheme: 'http:', path: '/mcp', gateway: 'requests' } as const;
const bothServers = ['reference', 'sink'] as const;

export const transports = {
  'streamable-http': {
    summary: 'Streamable HTTP',
    schemes: ['http:', 'https:'],
    framing: 'http',
    headers: true,
    eras: ['legacy', 'modern'],
    own: { servers: bothServers, ...http },
    oneConnection: false,
    pipelines: true,
    ownStickiness: true,
    serverMessages: 'streams',
    ownServer: false,
    misbehaviour: { aborts, malformed: malformedAnywhere, keepsSession: true },
  },
  websocket: {
    summary: 'a message in each text frame, and the connection is the session',
    schemes: ['ws:', 'wss:'],
    framing: 'websocket',
    headers: true,
    eras: ['legacy', 'modern'],
    own: { servers: bothServers, listener: 'stream', scheme: 'ws:', path: '/mcp', gateway: 'connections' },
    oneConnection: true,
    pipelines: true,
    ownStickiness: false,
    serverMessages: 'connection',
    ownServer: false,
    misbehaviour: {
      aborts: ['mid-handshake', ...aborts],
      malformed: [...malformedAnywhere, 'unmasked', 'reserved-bits', 'bad-opcode', 'huge-length'],
      keepsSession: false,
    },
  },
  tcp: {
    summary: 'a message on each line, and the connection is the session',
    schemes: ['tcp:'],
    framing: 'line',
    headers: false,
    eras: ['legacy', 'modern'],
    own: { servers: bothServers, listener: 'stream', scheme: 'tcp:', path: '', gateway: 'connections' },
    oneConnection: true,
    pipelines: true,
    ownStickiness: false,
    serverMessages: 'connection',
    ownServer: false,
    misbehaviour: { aborts, malformed: malformedAnywhere, keepsSession: false },
  },
  sse: {
    summary: 'HTTP+SSE (2024-11-05), with answers on one stream for each session and each message in a POST',
    schemes: ['http:', 'https:'],
    framing: 'http',
    headers: true,
    eras: ['legacy'],
    own: {
      servers: ['reference'],
      ...http,
      path: '/sse',
      gateway: { refused: 'the gateway could send the stream of a session and its POSTs to different replicas' },
    },
    oneConnection: false,
    pipelines: true,
    ownStickiness: false,
    serverMessages: 'connection',
    ownServer: false,
    misbehaviour: { aborts: ['mid-handshake', ...aborts], malformed: malformedAnywhere, keepsSession: false },
  },
  stdio: {
    summary: 'each session starts the program of target.server.command and speaks over its standard streams',
    schemes: [],
    framing: 'line',
    headers: false,
    eras: ['legacy', 'modern'],
    oneConnection: true,
    pipelines: true,
    ownStickiness: false,
    serverMessages: 'connection',
    ownServer: true,
    misbehaviour: {
      unsupported: { abort: stdioReason, reconnect: stdioReason },
      aborts: [],
      malformed: malformedAnywhere,
      keepsSession: false,
    },
  },
  sdk: {
    summary: 'the client of the official SDK over Streamable HTTP, which costs much more processor time',
    schemes: ['http:', 'https:'],
    framing: 'http',
    headers: true,
    eras: ['legacy', 'modern'],
    own: { servers: bothServers, ...http },
    oneConnection: false,
    pipelines: false,
    wireTransport: 'streamable-http',
    ownStickiness: false,
    serverMessages: 'none',
    ownServer: false,
    misbehaviour: {
      unsupported: {
        readRate: sdkReason,
        writeRate: sdkReason,
        abort: sdkReason,
        malformed: sdkReason,
        reconnect: sdkReason,
      },
      aborts: [],
      malformed: [],
      keepsSession: false,
    },
  },
} as const satisfies Record<string, TransportFacts>;

export type TransportName = keyof typeof transports;

export const transportNames = Object.keys(transports) as readonly TransportName[];

export function isTransport(name: string): name is TransportName {
  return name in transports;
}

export function factsOf(transport: TransportName): TransportFacts {
  return transports[transport];
}

export function transportsWhere(fits: (facts: TransportFacts) => boolean): readonly TransportName[] {
  return transportNames.filter((name) => fits(factsOf(name)));
}

/** Whether a URL can name a server for this transport. */
export function canReach(transport: TransportName, url: string): boolean {
  return factsOf(transport).schemes.includes(new URL(url).protocol);
}

/** The transport that a URL names by its scheme or, as servers of HTTP+SSE do, by its path; undefined: none. */
export function transportOfUrl(url: string): TransportName | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, pathname } = new URL(url);
  const [only, ...others] = transportsWhere(({ schemes }) => schemes.includes(protocol));
  if (only !== undefined && others.length === 0) return only;
  return /\/sse\/?$/.test(pathname) && canReach('sse', url) ? 'sse' : undefined;
}

/** The schemes of all transports. */
export function knownSchemes(): readonly string[] {
  return [...new Set(transportNames.flatMap((name) => factsOf(name).schemes))];
}
