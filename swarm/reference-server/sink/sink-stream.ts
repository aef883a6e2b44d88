import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { listen } from '../listen.js';
import { Answers } from './answers.js';
import { CLOSE, controlAnswer, FrameReader, MAX_FRAME_BYTES } from './frame-reader.js';
import { MAX_UNWRITTEN_BYTES, Output } from './output.js';
import { initializeResult, requestedVersion } from './results.js';
import { MessageReader } from './scan-message.js';

/** Called for what the sink counts. */
interface StreamObserver {
  count(method: string): void;
  sessionOpened(): void;
  sessionClosed(): void;
  connectionOpened(socket: Socket): void;
}

/** The client of one connection: of the session era once it has sent `initialize`, else of the stateless era. */
interface Client {
  initialized: boolean;
}

const END_OF_HEAD = '\r\n\r\n';
/** RFC 6455, 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const LETTER_G = 0x47;
const LINE_END = 0x0a;

/** The sink on connections that carry messages in both directions: WebSocket and lines of JSON-RPC on one port. */
export class SinkStream {
  private readonly answers = { websocket: new Answers('websocket'), line: new Answers('line') };
  private readonly output = new Output();
  private readonly messages = new MessageReader();
  private readonly server: Server;

  private constructor(private readonly observer: StreamObserver) {
    this.server = createServer((socket) => this.serve(socket));
  }

  /** @throws the error of `listen` */
  static async open(host: string, port: number, observer: StreamObserver): Promise<SinkStream> {
    const stream = new SinkStream(observer);
    await listen(stream.server, host, port);
    return stream;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stopAccepting(): void {
    this.server.close();
  }

  /** The first byte distinguishes the two: a WebSocket begins with the G of GET, a message with a brace. */
  private serve(socket: Socket): void {
    this.observer.connectionOpened(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => socket.resume());
    const client: Client = { initialized: false };
    socket.on('close', () => {
      if (client.initialized) this.observer.sessionClosed();
    });
    socket.once('data', (first: Buffer) => {
      const read = first[0] === LETTER_G ? this.readWebSocket(socket, client) : this.readLines(client);
      const onData = (chunk: Buffer): void => {
        const open = read(chunk);
        this.output.flush(socket);
        if (!open) socket.end();
        else if (socket.writableLength > MAX_UNWRITTEN_BYTES) socket.pause();
      };
      socket.on('data', onData);
      onData(first);
    });
  }

  /** @returns a reader of the connection; it returns false when the connection has to end */
  private readWebSocket(socket: Socket, client: Client): (chunk: Buffer) => boolean {
    const frames = new FrameReader();
    let closed = false;
    const handler = {
      onText: (bytes: Buffer, start: number, end: number): void => this.answer(client, 'websocket', bytes, start, end),
      onControl: (opcode: number, payload: Buffer): void => {
        this.output.add(controlAnswer(opcode, payload));
        closed ||= opcode === CLOSE;
      },
    };
    let head: string | undefined = '';
    return (chunk) => {
      if (head === undefined) return frames.read(chunk, handler) && !closed;
      head += chunk.toString('latin1');
      if (!head.includes(END_OF_HEAD)) return head.length < MAX_FRAME_BYTES;
      const answer = upgradeAnswer(head);
      head = undefined;
      if (answer === undefined) return false;
      // A client sends no frames before it has this answer, so nothing follows the head.
      socket.write(answer);
      return true;
    };
  }

  private readLines(client: Client): (chunk: Buffer) => boolean {
    let held: Buffer = Buffer.alloc(0);
    return (chunk) => {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = 0;
      for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, at)) {
        if (end > at) this.answer(client, 'line', bytes, at, end);
        at = end + 1;
      }
      held = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
      return held.length < MAX_FRAME_BYTES;
    };
  }

  private answer(client: Client, format: 'websocket' | 'line', bytes: Buffer, start: number, end: number): void {
    const method = this.messages.read(bytes, start, end);
    this.observer.count(method ?? 'invalid');
    const { idStart, idEnd } = this.messages.span;
    if (method === undefined || method === '' || idEnd === idStart) return;
    const answers = this.answers[format];
    if (method !== 'initialize') {
      const template = answers.template(method, !client.initialized, idEnd - idStart);
      return this.output.addAnswer(template, bytes, idStart, idEnd);
    }
    if (!client.initialized) this.observer.sessionOpened();
    client.initialized = true;
    const template = answers.build(initializeResult(requestedVersion(bytes, start, end)), idEnd - idStart);
    this.output.addAnswer(template, bytes, idStart, idEnd);
  }
}

/** The answer to a WebSocket handshake (RFC 6455, 4.2.2); undefined when the request is none. */
function upgradeAnswer(head: string): string | undefined {
  const key = /^sec-websocket-key:\s*(\S+)/im.exec(head)?.[1];
  if (key === undefined) return undefined;
  const accept = createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
  const offersMcp = /^sec-websocket-protocol:.*\bmcp\b/im.test(head);
  return (
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n' +
    `sec-websocket-accept: ${accept}\r\n${offersMcp ? 'sec-websocket-protocol: mcp\r\n' : ''}\r\n`
  );
}
