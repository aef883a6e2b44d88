import net from 'node:net';
import tls from 'node:tls';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import type { Problem } from '../../measure/failure.js';
import type { OwnShare } from '../../measure/health/own-share.js';
import type { Endpoint } from '../../protocol/messages.js';
import { lookupOnce } from './resolver.js';

/** Where a connection goes. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls: TlsOptions | undefined;
  /** The local address to connect from; undefined: the kernel chooses. */
  readonly localAddress?: string | undefined;
  /** Whether TLS connections can be ended with RST; costs a second socket object each. Plain ones always can. */
  readonly resettable?: boolean;
}

/**
 * See `tls.connect`. The context is made once: parsing certificates for each connection would cost more than the
 * connection.
 */
type TlsOptions = Pick<tls.ConnectionOptions, 'secureContext' | 'rejectUnauthorized'>;

/** Default ports of schemes that have one. */
const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };
const SECURE: ReadonlySet<string> = new Set(['https:', 'wss:']);

/**
 * @throws TypeError when the URL is none of http, https, ws, wss, and tcp with a port; Error when certificate or key
 * cannot be used
 */
export function addressOf({ url, tls: plan, sources }: Pick<Endpoint, 'url' | 'tls' | 'sources'>): Address {
  const { protocol, hostname, port } = new URL(url);
  const number = port === '' ? PORTS[protocol] : Number(port);
  if (number === undefined || !(protocol in PORTS || protocol === 'tcp:'))
    throw new TypeError(`${shownUrl(url)} is not an http, https, ws or wss URL, nor a tcp URL with a port`);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: number, tls: SECURE.has(protocol) ? tlsOptions(plan) : undefined, localAddress: sources?.[0] };
}

/** The address for connections that can also be ended with RST, if that is needed. */
export function resettableIf(resettable: boolean | undefined, address: Address): Address {
  return resettable === true ? { ...address, resettable } : address;
}

function tlsOptions(plan: Endpoint['tls']): TlsOptions {
  const { ca, cert, key, insecure = false } = plan ?? {};
  return { secureContext: tls.createSecureContext({ ca, cert, key }), rejectUnauthorized: !insecure };
}

export interface SocketOwner {
  /** Connected, TLS included. */
  onSocketUp(socket: net.Socket): void;
  /** @returns false to stop reading until `socket.resume()` */
  onSocketRead(socket: net.Socket, length: number): boolean;
  /** The server closed its side. */
  onSocketEnd(socket: net.Socket): void;
  /** The socket is gone; with the error that ended it, if one did. */
  onSocketClose(socket: net.Socket, error: Error | undefined): void;
}

/**
 * Opens a socket whose reads all land in `readBuffer`: no buffer and no stream event per read.
 * @param own is told which reads bring what could have been read before
 */
export function openSocket(address: Address, readBuffer: Buffer, owner: SocketOwner, own?: OwnShare): net.Socket {
  const socket = connect(address, { buffer: readBuffer, callback: onRead });
  if (own !== undefined)
    socket[BACKLOG] = {
      own,
      fullBytes: address.tls === undefined ? readBuffer.length : 1,
      turnMs: 0,
      bytes: 0,
      sinceMs: Infinity,
    };
  // Over a socket of ours `onread` is never called (Node 20): these few read as streams do.
  if (socket[UNDER] !== undefined) socket.on('data', (chunk: Buffer) => readInto(readBuffer, socket, chunk));
  socket[OWNER] = owner;
  socket.on(address.tls === undefined ? 'connect' : 'secureConnect', onUp);
  socket.on('error', onError);
  socket.on('end', onEnd);
  socket.on('close', onClose);
  return socket;
}

/** Starts to connect; reads go to `onread`, or are stream events without it. */
export function connect(address: Address, onread?: net.OnReadOpts): OwnedSocket {
  const { host, port, localAddress, tls: options, resettable } = address;
  const plain = { host, port, localAddress, noDelay: true, ...(net.isIP(host) === 0 ? { lookup: lookupOnce } : {}) };
  const reading = onread === undefined ? {} : { onread };
  if (options === undefined) return net.connect({ ...plain, ...reading });
  const secure = {
    ...plain,
    ALPNProtocols: ['http/1.1'],
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...options,
  };
  if (resettable !== true) return tls.connect({ ...secure, ...reading });
  // Node resets plain TCP sockets only, and the one that `tls.connect` makes for itself cannot be reached.
  const under = net.connect(plain);
  const socket: OwnedSocket = tls.connect({ ...secure, socket: under });
  socket[UNDER] = under;
  // The TLS socket reports its errors; this one needs a listener so that they do not end the process.
  under.on('error', (error: Error) => socket.destroy(error));
  return socket;
}

function readInto(buffer: Buffer, socket: OwnedSocket, chunk: Buffer): void {
  for (let at = 0; at < chunk.length && !socket.destroyed; at += buffer.length) {
    const length = chunk.copy(buffer, 0, at);
    if (onRead.call(socket, length)) continue;
    socket.pause();
    if (at + length < chunk.length) socket.unshift(chunk.subarray(at + length));
    return;
  }
}

/** Ends a socket with RST instead of FIN. Over TLS only where the address is `resettable`; else it is just closed. */
export function resetSocket(socket: net.Socket): void {
  const { [UNDER]: under } = socket as OwnedSocket;
  if (under !== undefined) under.resetAndDestroy();
  else if (socket instanceof tls.TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

const OWNER = Symbol('owner');
const UNDER = Symbol('under');
const BACKLOG = Symbol('backlog');
const PROBLEM = Symbol('problem');

interface OwnedSocket extends net.Socket {
  [OWNER]?: SocketOwner;
  /** The TCP socket below a TLS socket, where it is ours. */
  [UNDER]?: net.Socket;
  [BACKLOG]?: Backlog;
  [PROBLEM]?: Error;
}

// Functions that find their owner on the socket, not closures: with a closure for each event, and `once` around it, a
// connection took 1.2 KB more (measured at 8,000 connections).
function onRead(this: OwnedSocket, length: number): boolean {
  const backlog = this[BACKLOG];
  if (backlog !== undefined && (length >= backlog.fullBytes || backlog.sinceMs !== Infinity))
    return readBacklog(this, length, backlog);
  return this[OWNER]?.onSocketRead(this, length) ?? false;
}

/**
 * libuv reads a socket at most 32 times in a turn, 64 KiB each. More than that waits for the next turn, and so was
 * readable before what `OwnShare` says of it.
 */
const MOST_BYTES_A_TURN = 1_048_576;

/** What may be left in the kernel when a read is over. */
interface Backlog {
  readonly own: OwnShare;
  /** A read of fewer bytes left nothing behind. Over TLS it cannot be told by one read. */
  readonly fullBytes: number;
  /** The turn of the last such read, by `OwnShare.sinceMs`, and the bytes read in it. */
  turnMs: number;
  bytes: number;
  /** What is read next may have been readable since then; Infinity: nothing was left. */
  sinceMs: number;
}

function readBacklog(socket: OwnedSocket, length: number, backlog: Backlog): boolean {
  const { own } = backlog;
  own.enter(performance.now());
  own.socketSinceMs = backlog.sinceMs;
  if (own.sinceMs !== backlog.turnMs) {
    backlog.turnMs = own.sinceMs;
    backlog.bytes = 0;
  }
  backlog.bytes += length;
  backlog.sinceMs = backlog.bytes >= MOST_BYTES_A_TURN ? Math.min(backlog.sinceMs, own.sinceMs) : Infinity;
  const goesOn = socket[OWNER]?.onSocketRead(socket, length) ?? false;
  own.socketSinceMs = Infinity;
  return goesOn;
}

/** Nothing is read from this socket until then, on purpose: what is read next waited for that, not for us. */
export function pausedUntil(socket: object, atMs: number): void {
  const backlog = (socket as OwnedSocket)[BACKLOG];
  if (backlog !== undefined) backlog.sinceMs = atMs;
}

function onUp(this: OwnedSocket): void {
  this[OWNER]?.onSocketUp(this);
}

function onError(this: OwnedSocket, error: Error): void {
  this[PROBLEM] = error;
}

function onEnd(this: OwnedSocket): void {
  this[OWNER]?.onSocketEnd(this);
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.onSocketClose(this, this[PROBLEM]);
}

export function lost(detail: string): Problem {
  return { category: 'stream_lost', detail };
}

/** A connection could not be made. @param error undefined: it was closed without one */
export function connectProblem(error: Error | undefined): Problem {
  const detail = error === undefined ? 'the connection was closed' : describeError(error);
  return { category: error !== undefined && isExhausted(error) ? 'exhausted_by_us' : 'connect', detail };
}

/** What the kernel says when this machine, and not the target, has nothing left. */
const EXHAUSTED: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAGAIN', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** Of several addresses all must have failed so: an address family that this machine lacks says EADDRNOTAVAIL, too. */
export function isExhausted(error: Error): boolean {
  if (error instanceof AggregateError)
    return error.errors.length > 0 && error.errors.every((one) => one instanceof Error && isExhausted(one));
  return 'code' in error && EXHAUSTED.has(error.code);
}

/** Connecting to a name tries all its addresses; the AggregateError has no useful message, its parts do. */
export function describeError(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ')
    : error.message;
}
