import { createHash } from 'node:crypto';
import net, { type AddressInfo, type Socket } from 'node:net';
import { onTestEnd } from '../test-end.js';

/** A client of the server, with everything it has sent. */
export interface Peer {
  readonly socket: Socket;
  /** Its messages, parsed; over WebSocket, the text frames. */
  readonly messages: readonly Message[];
  /** Opcode and payload of its WebSocket frames. */
  readonly frames: readonly { readonly opcode: number; readonly payload: Buffer }[];
  /** How many reads its bytes took; no more than it made writes. */
  readonly reads: number;
  /** Sends one message, framed for the transport. */
  send(message: unknown): void;
}

export interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: unknown;
}

export interface SocketServer {
  readonly url: string;
  readonly peers: readonly Peer[];
  readonly open: number;
  /** Head of the last upgrade request. */
  readonly lastHead: string;
}

interface SocketServerOptions {
  /** Makes the answer to the upgrade; a correct one by default. */
  readonly upgrade?: (key: string, head: string) => string | Buffer;
  /** Whether it does the handshake of a session server before messages reach the test. Default true. */
  readonly initializes?: boolean;
}

export type MessageHandler = (message: Message, peer: Peer) => void;

/** A server that only reads messages; the test answers them. Ends with the test. */
export async function startSocketServer(
  transport: 'websocket' | 'tcp',
  handler: MessageHandler,
  { upgrade = accepted, initializes = true }: SocketServerOptions = {},
): Promise<SocketServer> {
  const peers: Peer[] = [];
  const sockets = new Set<Socket>();
  let lastHead = '';
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const messages: Message[] = [];
    const frames: Peer['frames'][number][] = [];
    let reads = 0;
    const peer: Peer = {
      socket,
      messages,
      frames,
      get reads() {
        return reads;
      },
      send: (message) =>
        void socket.write(transport === 'tcp' ? `${JSON.stringify(message)}\n` : textFrame(JSON.stringify(message))),
    };
    peers.push(peer);
    const take = (text: string): void => {
      const message = JSON.parse(text) as Message;
      messages.push(message);
      if (!initializes || !answerHandshake(message, peer)) handler(message, peer);
    };
    let held = Buffer.alloc(0);
    let upgraded = transport === 'tcp';
    socket.on('data', (chunk: Buffer) => {
      reads++;
      held = Buffer.concat([held, chunk]);
      if (!upgraded) {
        const end = held.indexOf('\r\n\r\n');
        if (end < 0) return;
        lastHead = held.toString('latin1', 0, end);
        held = held.subarray(end + 4);
        upgraded = true;
        socket.write(upgrade(/sec-websocket-key: (\S+)/i.exec(lastHead)?.[1] ?? '', lastHead));
      }
      if (transport === 'tcp') {
        for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
          const line = held.toString('utf8', 0, end);
          held = held.subarray(end + 1);
          take(line);
        }
        return;
      }
      for (let frame = cutFrame(held); frame !== undefined; frame = cutFrame(held)) {
        held = held.subarray(frame.length);
        frames.push(frame);
        if (frame.opcode === 1) take(frame.payload.toString('utf8'));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: transport === 'tcp' ? `tcp://127.0.0.1:${port}` : `ws://127.0.0.1:${port}/mcp`,
    peers,
    get open() {
      return sockets.size;
    },
    get lastHead() {
      return lastHead;
    },
  };
}

function answerHandshake({ id, method }: Message, peer: Peer): boolean {
  if (method === 'initialize')
    peer.send({
      jsonrpc: '2.0',
      id,
      result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'raw', version: '1' } },
    });
  return method === 'initialize' || method === 'notifications/initialized';
}

export function accepted(key: string): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    'Sec-WebSocket-Protocol: mcp',
    '\r\n',
  ].join('\r\n');
}

/** An unmasked frame. @param first FIN, reserved bits and opcode */
export function serverFrame(first: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126 ? Buffer.from([first, payload.length]) : Buffer.alloc(payload.length < 65_536 ? 4 : 10);
  head[0] = first;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (head.length > 2) head[1] = head.length === 4 ? 126 : 127;
  return Buffer.concat([head, payload]);
}

export function textFrame(text: string): Buffer {
  return serverFrame(0x81, Buffer.from(text));
}

/** @throws Error for a frame that no client may send: unmasked, in fragments */
function cutFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly length: number } | undefined {
  if (bytes.length < 6) return undefined;
  const [first = 0, second = 0] = bytes;
  if ((first & 0xf0) !== 0x80 || (second & 0x80) === 0)
    throw new Error(`a client sent a frame that begins ${bytes.toString('hex', 0, 2)}`);
  const short = second & 127;
  const extended = { 126: 2, 127: 8 }[short] ?? 0;
  const head = 2 + extended;
  if (bytes.length < head + 4) return undefined;
  const size = extended === 0 ? short : Number(`0x${bytes.toString('hex', 2, head)}`);
  const length = head + 4 + size;
  if (bytes.length < length) return undefined;
  const payload = Buffer.from(bytes.subarray(head + 4, length));
  for (let index = 0; index < size; index++)
    payload[index] = (payload[index] as number) ^ (bytes[head + (index & 3)] as number);
  return { opcode: first & 15, payload, length };
}
