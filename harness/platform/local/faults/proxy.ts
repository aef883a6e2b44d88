/**
 * A TCP proxy before one port of a replica. Without a rule it passes bytes on as they come. It works on connections and
 * bytes and not on packets: what it holds back is never lost, and a connection is accepted even while its replica is
 * cut off.
 */
import { createHash } from 'node:crypto';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { NetworkRule, ProxyCounts } from './fault-files.js';

/** So many bytes may wait in one direction of a connection before its sender has to wait, too. */
const MOST_WAITING_BYTES = 256 * 1024;
/** Under a limit of the rate, bytes are passed on in pieces, so that connections share it evenly. */
const PIECE_BYTES = 4096;
const HOST = '127.0.0.1';

type Counts = { -readonly [Key in keyof ProxyCounts]: ProxyCounts[Key] };

/** What the connections of one replica share, over all of its ports. */
export class ReplicaRule {
  private rule: NetworkRule | undefined;
  /** With a limit of the rate: when the link is free again. */
  private freeAtMs = 0;
  private readonly connections = new Set<Connection>();
  readonly counts: Counts = { open: 0, connections: 0, bytesIn: 0, bytesOut: 0, heldBytes: 0, resets: 0 };

  /** @param rule undefined: none */
  set(rule: NetworkRule | undefined): void {
    if (rule?.kind !== 'rate') this.freeAtMs = 0;
    this.rule = rule;
    for (const connection of [...this.connections]) {
      if (this.resets(connection.number)) connection.reset();
      else connection.ruleChanged();
    }
  }

  opened(connection: Connection): void {
    this.connections.add(connection);
    this.counts.open = this.connections.size;
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
    this.counts.open = this.connections.size;
  }

  /** Whether a connection is reset: its number decides, so a growing share strikes more and more of them. */
  resets(number: number): boolean {
    if (this.rule?.kind !== 'reset') return false;
    const hash = createHash('sha256').update(`${this.rule.seed} ${number}`).digest();
    return hash.readUInt32BE(0) / 2 ** 32 < this.rule.share;
  }

  /** Whether nothing passes in this direction. */
  holds(direction: 'in' | 'out'): boolean {
    return this.rule?.kind === 'partition' && (this.rule.direction === 'both' || this.rule.direction === direction);
  }

  /** When bytes that came now may pass, ms of `performance.now()`; `now` when at once. */
  passesAt(direction: 'in' | 'out', bytes: number, now: number): number {
    const { rule } = this;
    if (direction === 'in' || rule === undefined) return now;
    if (rule.kind === 'delay') return now + Math.max(0, rule.delayMs + rule.jitterMs * (2 * Math.random() - 1));
    if (rule.kind !== 'rate') return now;
    this.freeAtMs = Math.max(this.freeAtMs, now) + (bytes / rule.bytesPerSecond) * 1000;
    return this.freeAtMs;
  }

  get isLimited(): boolean {
    return this.rule?.kind === 'rate';
  }

  get isNone(): boolean {
    return this.rule === undefined;
  }
}

export class PortProxy {
  private constructor(private readonly server: Server) {}

  /** @throws when the port cannot be listened at */
  static async start(listen: number, upstream: number, rule: ReplicaRule): Promise<PortProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      rule.counts.connections += 1;
      const connection = new Connection(client, upstream, rule, rule.counts.connections);
      if (rule.resets(connection.number)) connection.reset();
      else connection.begin();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: HOST, port: listen, backlog: 4096 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new PortProxy(server);
  }

  close(): void {
    this.server.close();
  }
}

class Connection {
  private upstream: Socket | undefined;
  private readonly toReplica: Lane;
  private readonly toClient: Lane;
  private isOver = false;

  constructor(
    private readonly client: Socket,
    private readonly port: number,
    private readonly rule: ReplicaRule,
    /** From 1, in the order of their beginning. */
    readonly number: number,
  ) {
    this.toReplica = new Lane('in', rule, client, () => this.upstream);
    this.toClient = new Lane('out', rule, undefined, () => this.client);
    client.on('error', () => undefined);
  }

  begin(): void {
    const { client, rule } = this;
    rule.opened(this);
    client.on('data', (bytes) => this.toReplica.add(bytes));
    client.on('end', () => this.toReplica.add(undefined));
    // Nobody tells the replica while nothing passes to it.
    client.on('close', () => (this.upstream === undefined ? this.end() : this.toReplica.whenFree(() => this.end())));
    if (!rule.holds('in')) this.connect();
  }

  /** A rule came, changed or went. */
  ruleChanged(): void {
    if (this.upstream === undefined && !this.rule.holds('in')) this.connect();
    this.toReplica.ruleChanged();
    this.toClient.ruleChanged();
  }

  /** RST to the client, and an end for the replica. */
  reset(): void {
    if (this.isOver) return;
    this.rule.counts.resets += 1;
    this.client.resetAndDestroy();
    this.end();
  }

  private connect(): void {
    const upstream = createConnection({ host: HOST, port: this.port, allowHalfOpen: true, noDelay: true });
    this.upstream = upstream;
    this.toClient.source = upstream;
    upstream.on('connect', () => this.toReplica.pump());
    upstream.on('data', (bytes) => this.toClient.add(bytes));
    upstream.on('end', () => this.toClient.add(undefined));
    // A replica that is gone resets its connections, and refuses new ones: the client sees a reset in both cases.
    upstream.on('error', () => this.toClient.whenFree(() => this.client.resetAndDestroy()));
    upstream.on('close', () => this.toClient.whenFree(() => this.client.destroySoon()));
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.rule.closed(this);
    this.toReplica.stop();
    this.toClient.stop();
    this.client.destroy();
    this.upstream?.destroy();
  }
}

interface Waiting {
  /** Undefined: the end of the stream. */
  readonly bytes: Buffer | undefined;
  /** ms of `performance.now()`. */
  readonly at: number;
}

/** One direction of a connection: bytes in their order, each passed on when it may pass. */
class Lane {
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private lastAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private awaitsDrain = false;
  private readonly onFree: (() => void)[] = [];

  constructor(
    private readonly direction: 'in' | 'out',
    private readonly rule: ReplicaRule,
    /** Where bytes come from. */
    public source: Socket | undefined,
    /** Where they go; undefined while there is no connection yet. */
    private readonly sink: () => Socket | undefined,
  ) {}

  add(bytes: Buffer | undefined): void {
    if (this.isStopped) return;
    if (this.rule.isNone && this.waiting.length === 0 && this.passAtOnce(bytes)) return;
    const now = performance.now();
    if (bytes === undefined || !this.rule.isLimited) this.wait(bytes, now);
    else for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.wait(bytes.subarray(at, at + PIECE_BYTES), now);
    this.pump();
  }

  /** Calls back when everything that waits has passed. */
  whenFree(act: () => void): void {
    if (this.isStopped || (this.waiting.length === 0 && !this.rule.holds(this.direction))) act();
    else this.onFree.push(act);
  }

  /** What waits has nothing to wait for when there is no rule any more. */
  ruleChanged(): void {
    if (this.rule.isNone) {
      this.lastAt = 0;
      this.waiting = this.waiting.map(({ bytes }) => ({ bytes, at: 0 }));
    }
    this.pump();
  }

  /** Passes on what may pass, and sets the timer for what may pass later. */
  pump(): void {
    if (this.isStopped) return;
    const sink = this.sink();
    if (sink === undefined || sink.connecting || this.rule.holds(this.direction)) return;
    const now = performance.now();
    let passed = 0;
    for (const { bytes, at } of this.waiting) {
      // A timer may come a fraction of a millisecond early.
      if (at > now + 0.5) break;
      passed += 1;
      this.pass(sink, bytes);
    }
    if (passed > 0) this.waiting = this.waiting.slice(passed);
    this.steer(sink);
    this.setTimer(now);
    if (this.waiting.length === 0) for (const act of this.onFree.splice(0)) act();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.rule.counts.heldBytes -= this.waitingBytes;
    this.waitingBytes = 0;
    this.waiting = [];
  }

  /** The way of nearly all bytes. False when there is nowhere to pass them yet. */
  private passAtOnce(bytes: Buffer | undefined): boolean {
    const sink = this.sink();
    if (sink === undefined || sink.connecting) return false;
    this.rule.counts.heldBytes += bytes?.length ?? 0;
    this.waitingBytes += bytes?.length ?? 0;
    this.pass(sink, bytes);
    this.steer(sink);
    return true;
  }

  private wait(bytes: Buffer | undefined, now: number): void {
    const length = bytes?.length ?? 0;
    // Never before what came earlier.
    this.lastAt = Math.max(this.lastAt, this.rule.passesAt(this.direction, length, now));
    this.waiting.push({ bytes, at: this.lastAt });
    this.waitingBytes += length;
    this.rule.counts.heldBytes += length;
  }

  private pass(sink: Socket, bytes: Buffer | undefined): void {
    if (bytes === undefined) return void sink.end();
    this.waitingBytes -= bytes.length;
    this.rule.counts.heldBytes -= bytes.length;
    if (this.direction === 'in') this.rule.counts.bytesIn += bytes.length;
    else this.rule.counts.bytesOut += bytes.length;
    if (!sink.destroyed) sink.write(bytes);
  }

  /** The sender waits while too much waits here or in the socket that it goes to. */
  private steer(sink: Socket): void {
    const { source } = this;
    if (source === undefined) return;
    if (this.waitingBytes + sink.writableLength <= MOST_WAITING_BYTES) {
      if (source.isPaused()) source.resume();
      return;
    }
    source.pause();
    if (!sink.writableNeedDrain || this.awaitsDrain) return;
    this.awaitsDrain = true;
    sink.once('drain', () => {
      this.awaitsDrain = false;
      this.pump();
    });
  }

  private setTimer(now: number): void {
    const [next] = this.waiting;
    clearTimeout(this.timer);
    this.timer = next === undefined ? undefined : setTimeout(() => this.pump(), Math.max(0, next.at - now));
  }
}
