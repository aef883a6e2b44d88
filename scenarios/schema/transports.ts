import type { AbortKind, MalformedKind } from './misbehave.js';

/**
 * What of `misbehave` a transport can do on its wire, beside `idle`, which any client can; what is not here is refused.
 */
export interface MisbehaviourSupport {
  /** One that is absent is refused with these words. */
  readonly unsupported?: Readonly<Record<string, string>>;
  readonly aborts: readonly AbortKind[];
  readonly malformed: readonly MalformedKind[];
  /** A session can outlive its connections. */
  readonly keepsSession: boolean;
}

/** What breaks messages wherever they are sent. */
const malformedAnywhere = [
  'broken-json',
  'wrong-framing',
  'unknown-method',
  'duplicate-id',
  'oversize',
  'not-utf8',
] as const;
const aborts = ['mid-request', 'after-request', 'mid-answer'] as const;

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
  /**
   * One connection is the session and carries any number of requests at once; there is nothing to gain from a second
   * one.
   */
  readonly oneConnection: boolean;
  /** Whether a connection can carry a request before the last one was answered. */
  readonly pipelines: boolean;
  /** The transport whose servers it speaks to, where that is another one. */
  readonly speaks?: string;
  readonly misbehaviour: MisbehaviourSupport;
  /**
   * Where it hears what a server says by itself: on streams of their own, which can be resumed; on the link that
   * carries everything, and gone with it; nowhere.
   */
  readonly hears: 'streams' | 'link' | 'nothing';
  /** Every session starts a server of its own, which knows no other session. */
  readonly ownServer: boolean;
}

const library = "what its connections carry is the library's own affair";
const pipes = 'its connection is a process that was started for it: to lose it is to end that process';

export const transports = {
  'streamable-http': {
    schemes: ['http:', 'https:'],
    headers: true,
    eras: ['legacy', 'modern'],
    servers: ['reference', 'sink'],
    oneConnection: false,
    pipelines: true,
    hears: 'streams',
    ownServer: false,
    misbehaviour: { aborts, malformed: malformedAnywhere, keepsSession: true },
  },
  websocket: {
    schemes: ['ws:', 'wss:'],
    headers: true,
    eras: ['legacy', 'modern'],
    servers: ['reference', 'sink'],
    oneConnection: true,
    pipelines: true,
    hears: 'link',
    ownServer: false,
    misbehaviour: {
      aborts: ['mid-handshake', ...aborts],
      malformed: [...malformedAnywhere, 'unmasked', 'reserved-bits', 'bad-opcode', 'huge-length'],
      keepsSession: false,
    },
  },
  tcp: {
    schemes: ['tcp:'],
    headers: false,
    eras: ['legacy', 'modern'],
    servers: ['reference', 'sink'],
    oneConnection: true,
    pipelines: true,
    hears: 'link',
    ownServer: false,
    misbehaviour: { aborts, malformed: malformedAnywhere, keepsSession: false },
  },
  sse: {
    schemes: ['http:', 'https:'],
    headers: true,
    eras: ['legacy'],
    servers: ['reference'],
    oneConnection: false,
    pipelines: true,
    hears: 'link',
    ownServer: false,
    misbehaviour: { aborts: ['mid-handshake', ...aborts], malformed: malformedAnywhere, keepsSession: false },
  },
  stdio: {
    schemes: [],
    headers: false,
    eras: ['legacy', 'modern'],
    servers: [],
    oneConnection: true,
    pipelines: true,
    hears: 'link',
    ownServer: true,
    misbehaviour: {
      unsupported: { abort: pipes, reconnect: pipes },
      aborts: [],
      malformed: malformedAnywhere,
      keepsSession: false,
    },
  },
  sdk: {
    schemes: ['http:', 'https:'],
    headers: true,
    eras: ['legacy', 'modern'],
    servers: ['reference', 'sink'],
    oneConnection: false,
    pipelines: false,
    hears: 'nothing',
    ownServer: false,
    speaks: 'streamable-http',
    misbehaviour: {
      unsupported: { readRate: library, writeRate: library, abort: library, malformed: library, reconnect: library },
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

/** Whether a URL can name a server for this transport. */
export function canReach(transport: TransportName, url: string): boolean {
  return factsOf(transport).schemes.includes(new URL(url).protocol);
}

/** Schemes that any transport has a use for. */
export function knownSchemes(): readonly string[] {
  return [...new Set(transportNames.flatMap((name) => factsOf(name).schemes))];
}
