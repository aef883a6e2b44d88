import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Answers } from './answers.js';
import { controlAnswer, FrameReader } from './frame-reader.js';
import { Output } from './output.js';
import { initializeResult } from './results.js';
import { type MessageSpan, MethodNames, scanMessage } from './scan-message.js';

/** What the sink's counters are told. */
interface StreamCounts {
  count(method: string): void;
  sessionOpened(): void;
  sessionClosed(): void;
  connectionOpened(socket: Socket): void;
}

const endOfHead = '\r\n\r\n';
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const letterG = 0x47;
const lineEnd = 0x0a;
const longestName = 128;
const mostHeldBytes = 4 * 1024 * 1024;
/** Unwritten answers after which a connection is not read any further until its client has caught up. */
const mostUnwrittenBytes = 4 * 1024 * 1024;

/**
 * The sink on connections that carry messages both ways: WebSocket and lines on one port, told apart by their first
 * byte.
 */
export class SinkStream {
  private readonly answers = { websocket: new Answers('websocket'), line: new Answers('line') };
  private readonly output = new Output();
  private readonly span: MessageSpan = { idStart: 0, idEnd: 0, methodStart: 0, methodEnd: 0 };
  private readonly methods = new MethodNames();
  private readonly server: Server;

  private constructor(private readonly counts: StreamCounts) {
    this.server = createServer((socket) => this.serve(socket));
  }

  /** @throws the error of `listen` */
  static open(host: string, port: number, counts: StreamCounts): Promise<SinkStream> {
    const made = new SinkStream(counts);
    return new Promise((resolve, reject) => {
      made.server.once('error', reject);
      made.server.listen({ host, port, backlog: 4096 }, () => {
        made.server.off('error', reject);
        resolve(made);
      });
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stopAccepting(): void {
    this.server.close();
  }

  private serve(socket: Socket): void {
    this.counts.connectionOpened(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => socket.resume());
    const peer = new Peer();
    socket.on('close', () => {
      if (peer.greeted) this.counts.sessionClosed();
    });
    socket.once('data', (first: Buffer) => {
      const read = first[0] === letterG ? this.upgrading(socket, peer) : this.lines(socket, peer);
      const take = (chunk: Buffer): void => {
        const goesOn = read(chunk);
        this.output.flush(socket);
        if (!goesOn) socket.end();
        else if (socket.writableLength > mostUnwrittenBytes) socket.pause();
      };
      socket.on('data', take);
      take(first);
    });
  }

  /** @returns what reads the connection; it says false when that cannot go on */
  private upgrading(socket: Socket, peer: Peer): (chunk: Buffer) => boolean {
    const frames = new FrameReader();
    let closed = false;
    const taker = {
      onText: (bytes: Buffer, start: number, end: number): void => this.answer(peer, 'websocket', bytes, start, end),
      onControl: (opcode: number, payload: Buffer): void => {
        this.output.add(controlAnswer(opcode, payload));
        closed ||= opcode === 8;
      },
    };
    let head: string | undefined = '';
    return (chunk) => {
      if (head === undefined) return frames.read(chunk, taker) && !closed;
      head += chunk.toString('latin1');
      const end = head.indexOf(endOfHead);
      if (end < 0) return head.length < mostHeldBytes;
      const key = /^sec-websocket-key:\s*(\S+)/im.exec(head)?.[1];
      const offersMcp = /^sec-websocket-protocol:.*\bmcp\b/im.test(head);
      head = undefined;
      if (key === undefined) return false;
      const accept = createHash('sha1')
        .update(key + webSocketGuid)
        .digest('base64');
      // Nobody sends frames before this answer, so nothing follows the head.
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n${offersMcp ? 'sec-websocket-protocol: mcp\r\n' : ''}\r\n`,
      );
      return true;
    };
  }

  private lines(_socket: Socket, peer: Peer): (chunk: Buffer) => boolean {
    let held: Buffer = Buffer.alloc(0);
    return (chunk) => {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = 0;
      for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, at)) {
        if (end > at) this.answer(peer, 'line', bytes, at, end);
        at = end + 1;
      }
      held = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
      return held.length < mostHeldBytes;
    };
  }

  private answer(peer: Peer, format: 'websocket' | 'line', bytes: Buffer, start: number, end: number): void {
    const span = this.span;
    if (
      !scanMessage(bytes, start, end, span) ||
      span.idEnd - span.idStart > longestName ||
      span.methodEnd - span.methodStart > longestName
    ) {
      return this.counts.count('invalid');
    }
    const { idStart, idEnd } = span;
    const method = this.methods.read(bytes, span.methodStart, span.methodEnd);
    this.counts.count(method);
    if (idEnd === idStart || method === '') return;
    const answers = this.answers[format];
    if (method !== 'initialize')
      return this.output.addAnswer(answers.template(method, !peer.greeted, idEnd - idStart), bytes, idStart, idEnd);
    if (!peer.greeted) this.counts.sessionOpened();
    peer.greeted = true;
    const asked = /"protocolVersion"\s*:\s*"([^"]*)"/.exec(bytes.toString('latin1', start, end))?.[1];
    this.output.addAnswer(answers.build(initializeResult(asked), idEnd - idStart), bytes, idStart, idEnd);
  }
}

/** Who has introduced itself is of the session era, who has not is of the stateless one. */
class Peer {
  greeted = false;
}
