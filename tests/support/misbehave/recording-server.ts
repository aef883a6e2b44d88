import net, { type AddressInfo, type Socket } from 'node:net';
import { onTestEnd } from '../test-end.js';
import { chunk, event, SSE_HEAD } from '../transport/raw-server.js';
import { accepted, textFrame } from '../transport/socket-server.js';

/** One connection as the server saw it. */
export interface RecordedConnection {
  readonly socket: Socket;
  /** Every byte the client sent. */
  readonly bytes: Buffer;
  /** The length of each read. */
  readonly reads: readonly number[];
  /** How the client ended it; undefined: not yet. */
  readonly end: 'FIN' | 'RST' | undefined;
}

export interface RecordingServer {
  readonly url: string;
  readonly connections: readonly RecordedConnection[];
}

/** Handles a request that is not part of the handshake. */
export type React = (
  request: { readonly id: number; readonly method: string },
  send: (message: unknown) => void,
  socket: Socket,
) => void;

export const answer: React = ({ id, method }, send) => {
  const known = method === 'tools/call';
  send({
    jsonrpc: '2.0',
    id,
    ...(known
      ? { result: { content: [{ type: 'text', text: 'x'.repeat(300) }] } }
      : { error: { code: -32601, message: 'Method not found' } }),
  });
};

type Transport = 'websocket' | 'tcp' | 'sse';
const initializeResult = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  serverInfo: { name: 'recorder', version: '1' },
};

/**
 * A server on bare sockets that does the handshake, keeps every byte, and stops reading messages on a connection after
 * the first one that no proper client sends.
 */
export async function startRecordingServer(transport: Transport, react: React = answer): Promise<RecordingServer> {
  const connections: RecordedConnection[] = [];
  const streams: ((message: unknown) => void)[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = Buffer.alloc(0);
    let end: RecordedConnection['end'];
    const reads: number[] = [];
    connections.push({
      socket,
      reads,
      get bytes() {
        return bytes;
      },
      get end() {
        return end;
      },
    });
    const read = { websocket: readFrames, tcp: readLines, sse: readPosts }[transport](socket, react, streams);
    socket.on('data', (piece: Buffer) => {
      reads.push(piece.length);
      bytes = Buffer.concat([bytes, piece]);
      read(piece);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') end ??= 'RST';
    });
    socket.on('end', () => {
      if (socket.writableEnded) end ??= 'FIN';
      // libuv reports a reset that comes together with bytes as an end. After a reset nothing can be written, after a
      // FIN it can.
      else
        socket.write('?', (error) => {
          end ??= error === undefined || error === null ? 'FIN' : 'RST';
          socket.destroy();
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const scheme = { websocket: 'ws', tcp: 'tcp', sse: 'http' }[transport];
  return {
    url: `${scheme}://127.0.0.1:${port}${transport === 'tcp' ? '' : '/mcp'}`,
    connections,
  };
}

type Reader = (socket: Socket, react: React, streams: ((message: unknown) => void)[]) => (piece: Buffer) => void;

/** @returns false: no proper client sends this */
function handle(text: string, send: (message: unknown) => void, react: React, socket: Socket): boolean {
  let message: { readonly id?: number; readonly method?: string };
  try {
    message = JSON.parse(text) as typeof message;
  } catch {
    return false;
  }
  const { id, method = '' } = message;
  if (method === 'initialize') send({ jsonrpc: '2.0', id, result: initializeResult });
  else if (id !== undefined) react({ id, method }, send, socket);
  return true;
}

const readLines: Reader = (socket, react) => {
  let held = '';
  return (piece) => {
    held += piece.toString('latin1');
    for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
      const line = held.slice(0, end);
      held = held.slice(end + 1);
      const send = (message: unknown): void => void socket.write(`${JSON.stringify(message)}\n`);
      if (!handle(line, send, react, socket))
        send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
    }
  };
};

const readFrames: Reader = (socket, react) => {
  let held = Buffer.alloc(0);
  let upgraded = false;
  return (piece) => {
    held = Buffer.concat([held, piece]);
    if (!upgraded) {
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.write(accepted(/sec-websocket-key: (\S+)/.exec(held.toString('latin1', 0, end))?.[1] ?? ''));
      upgraded = true;
      held = held.subarray(end + 4);
    }
    for (let frame = cutFrame(held); frame !== undefined; frame = cutFrame(held)) {
      held = held.subarray(frame.bytes);
      const understood =
        frame.first === 0x81 &&
        frame.isMasked &&
        handle(
          frame.payload.toString('latin1'),
          (message) => void socket.write(textFrame(JSON.stringify(message))),
          react,
          socket,
        );
      if (!understood) return void socket.end();
    }
  };
};

export interface CutFrame {
  readonly first: number;
  readonly isMasked: boolean;
  /** The length in its head; `payload` may be shorter. */
  readonly length: bigint;
  readonly payload: Buffer;
  /** Length of the whole frame. */
  readonly bytes: number;
  readonly isWhole: boolean;
}

/** Reads the frame that begins here, correct or not. @param partly also one that is not whole */
function cutFrame(held: Buffer, partly = false): CutFrame | undefined {
  if (held.length < 2) return undefined;
  const [first = 0, second = 0] = held;
  const short = second & 127;
  const lengthBytes = { 126: 2, 127: 8 }[short] ?? 0;
  const isMasked = (second & 128) !== 0;
  const head = 2 + lengthBytes + (isMasked ? 4 : 0);
  if (held.length < head) return undefined;
  const length = lengthBytes === 0 ? BigInt(short) : BigInt(`0x${held.toString('hex', 2, 2 + lengthBytes)}`);
  const isWhole = BigInt(held.length - head) >= length;
  if (!isWhole && !partly) return undefined;
  const end = isWhole ? head + Number(length) : held.length;
  const payload = Buffer.from(held.subarray(head, end));
  if (isMasked)
    for (let index = 0; index < payload.length; index++)
      payload[index] = (payload[index] as number) ^ (held[head - 4 + (index & 3)] as number);
  return { first, isMasked, length, payload, bytes: end, isWhole };
}

/** The frames of a connection after the upgrade. */
export function framesOf({ bytes }: RecordedConnection): readonly CutFrame[] {
  const frames: CutFrame[] = [];
  let held = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
  for (let frame = cutFrame(held, true); frame !== undefined; frame = cutFrame(held, true)) {
    frames.push(frame);
    held = held.subarray(frame.bytes);
  }
  return frames;
}

const readPosts: Reader = (socket, react, streams) => {
  let held = '';
  return (piece) => {
    held += piece.toString('latin1');
    for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
      const head = held.slice(0, end);
      if (head.startsWith('GET')) {
        held = held.slice(end + 4);
        const session = streams.push((message) => void socket.write(chunk(event(message))));
        socket.write(SSE_HEAD + chunk(`event: endpoint\ndata: /messages?session=${session - 1}\n\n`));
        continue;
      }
      const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? Number.NaN);
      if (Number.isNaN(length)) return void socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
      const body = held.slice(end + 4, end + 4 + length);
      if (body.length < length) return;
      held = held.slice(end + 4 + length);
      const send = streams[Number(/session=(\d+)/.exec(head)?.[1])] ?? (() => undefined);
      const understood = handle(body, send, react, socket);
      socket.write(
        understood
          ? 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'
          : 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n',
      );
    }
  };
};
