import { type AddressInfo, createServer, type Socket } from 'node:net';
import { listen } from '../listen.js';
import { Answers, fixed, plainAnswer } from './answers.js';
import { MAX_UNWRITTEN_BYTES, Output } from './output.js';
import { type Head, RequestReader } from './request-reader.js';
import { initializeResult, requestedVersion } from './results.js';
import { MessageReader } from './scan-message.js';
import { SinkStream } from './sink-stream.js';

interface SinkServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** For WebSocket and lines of JSON-RPC; 0: any free port; undefined: neither is served. */
  readonly streamPort?: number | undefined;
  readonly answers: 'json' | 'sse';
}

/** `GET /stats`, exact. */
interface SinkStats {
  readonly answered: number;
  /** By JSON-RPC method, or HTTP method. */
  readonly requests: Readonly<Record<string, number>>;
  readonly sessions: { readonly opened: number; readonly closed: number };
  readonly connections: { readonly active: number; readonly opened: number };
}

export interface SinkServer {
  readonly port: number;
  readonly streamPort: number | undefined;
  stats(): SinkStats;
  close(): Promise<void>;
}

/**
 * A bare MCP responder, as fast as one core of Node allows, to find out how fast the load generator is. It speaks just
 * enough HTTP/1.1 (keep-alive, pipelining, content-length) and MCP of both eras to be measured, and checks nothing.
 */
export async function startSink(options: SinkServerOptions): Promise<SinkServer> {
  const answers = new Answers(options.answers);
  const output = new Output();
  const messages = new MessageReader();
  const counts = new Map<string, number>();
  const connections = new Set<Socket>();
  let opened = 0;
  let sessions = 0;
  let sessionsEnded = 0;

  const count = (method: string): void => void counts.set(method, (counts.get(method) ?? 0) + 1);

  function answer(head: Head, bytes: Buffer, bodyStart: number, bodyEnd: number): void {
    if (head.verb !== 'POST') return output.add(answerWithoutBody(head));
    const method = messages.read(bytes, bodyStart, bodyEnd);
    count(method ?? 'invalid');
    if (method === undefined) return output.add(fixed.badRequest);
    const { idStart, idEnd } = messages.span;
    if (idEnd === idStart || method === '') return output.add(fixed.accepted);
    if (method === 'initialize') return initialize(bytes, bodyStart, bodyEnd, idStart, idEnd);
    const modern = head.modern || method === 'server/discover';
    output.addAnswer(answers.template(method, modern, idEnd - idStart), bytes, idStart, idEnd);
  }

  function initialize(bytes: Buffer, bodyStart: number, bodyEnd: number, idStart: number, idEnd: number): void {
    sessions += 1;
    const result = initializeResult(requestedVersion(bytes, bodyStart, bodyEnd));
    const template = answers.build(result, idEnd - idStart, `mcp-session-id: sink-${sessions}\r\n`);
    output.addAnswer(template, bytes, idStart, idEnd);
  }

  function answerWithoutBody({ verb, path }: Head): Buffer {
    if (verb === 'GET' && path === '/stats') return plainAnswer(JSON.stringify(stats()), 'application/json');
    if (verb === 'GET' && path === '/healthz') return plainAnswer('ok\n', 'text/plain');
    count(verb);
    return verb === 'DELETE' ? fixed.deleted : fixed.notAllowed;
  }

  function connected(socket: Socket): void {
    opened += 1;
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  }

  function serve(socket: Socket): void {
    connected(socket);
    const reader = new RequestReader();
    let closing = false;
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => socket.resume());
    socket.on('data', (chunk) => {
      if (closing) return;
      const problem = reader.read(chunk, (head, bytes, bodyStart, bodyEnd) => {
        closing ||= head.close;
        answer(head, bytes, bodyStart, bodyEnd);
      });
      if (problem !== undefined) output.add(problem === 'bad-request' ? fixed.badRequest : fixed.lengthRequired);
      closing ||= problem !== undefined;
      output.flush(socket);
      if (closing) socket.end();
      else if (socket.writableLength > MAX_UNWRITTEN_BYTES) socket.pause();
    });
  }

  const stats = (): SinkStats => ({
    answered: [...counts.values()].reduce((sum, each) => sum + each, 0),
    requests: Object.fromEntries(counts),
    sessions: { opened: sessions, closed: (counts.get('DELETE') ?? 0) + sessionsEnded },
    connections: { active: connections.size, opened },
  });

  const stream =
    options.streamPort === undefined
      ? undefined
      : await SinkStream.open(options.host, options.streamPort, {
          count,
          sessionOpened: () => void (sessions += 1),
          sessionClosed: () => void (sessionsEnded += 1),
          connectionOpened: connected,
        });
  const server = createServer(serve);
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    streamPort: stream?.port,
    stats,
    close: () =>
      new Promise((closed) => {
        stream?.stopAccepting();
        server.close(() => closed());
        for (const socket of connections) socket.destroy();
      }),
  };
}
