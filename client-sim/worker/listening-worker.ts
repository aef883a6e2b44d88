import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { hostname } from 'node:os';
import type { buildConnector } from 'undici';
import {
  type AttachmentAnswer,
  type AttachmentRequest,
  attachmentRequest,
  CONNECTIONS,
  UPGRADE,
} from '../protocol/attachment.js';
import { PROTOCOL } from '../protocol/messages.js';
import { addMessages, type MessageCounts, noMessages } from '../protocol/telemetry.js';
import { LoadWorker, type WorkerOptions } from './load-worker.js';

/** A controller without any connection for so long is gone: another may have the worker. */
const GONE_MS = 5_000;
const MAX_BODY_BYTES = 64 * 1024;

/** The options of a worker that waits for its controller, in place of looking for it. */
export interface ListenOptions extends Omit<WorkerOptions, 'controllerUrl' | 'controllerCa' | 'slot' | 'leaseFile'> {
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM texts; with them, it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A worker that waits to be asked, by one controller at a time. See `protocol/attachment.ts`. */
export class ListeningWorker {
  private readonly server: Server;
  private attachment: Attachment | undefined;
  private counts: MessageCounts = noMessages;

  private constructor(private readonly options: ListenOptions) {
    const { tls } = options;
    const handle = (request: IncomingMessage, response: ServerResponse): void => void this.answer(request, response);
    this.server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket) => this.upgrade(request, socket));
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** @throws Error of listen(2), such as EADDRINUSE */
  static async start(options: ListenOptions): Promise<ListeningWorker> {
    const worker = new ListeningWorker(options);
    const { host, port } = options.listen;
    worker.server.listen(port, host);
    await once(worker.server, 'listening');
    const { address, port: bound, family } = worker.server.address() as AddressInfo;
    const shown = family === 'IPv6' ? `[${address}]` : address;
    options.log(`listening on ${options.tls === undefined ? 'http' : 'https'}://${shown}:${bound}`);
    return worker;
  }

  /** Waits until it is asked to end; a run that is on then drains, or is cut. */
  async work({ drain, cut }: { readonly drain: AbortSignal; readonly cut: AbortSignal }): Promise<void> {
    const asked = AbortSignal.any([drain, cut]);
    if (!asked.aborted) await once(asked, 'abort');
    const left = this.attachment;
    if (left !== undefined) {
      cut.addEventListener('abort', () => left.cut(), { once: true });
      if (cut.aborted) left.cut();
      else left.end();
      await left.ended;
    }
    this.server.close();
    this.server.closeAllConnections();
  }

  // ---- calls ----

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = request;
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    };
    try {
      if (method === 'GET' && url === '/healthz') return send(200, { status: 'ok', attached: this.isAttached });
      this.authorize(request);
      if (method === 'GET' && url === '/counters-stats') return send(200, this.counts);
      if (method === 'POST' && url === '/attachments')
        return send(
          201,
          this.attach(
            parseRequest(await bodyOf(request)),
            (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
          ),
        );
      const found = /^\/attachments\/([\w-]+)$/.exec(url);
      if (method === 'DELETE' && found !== null) {
        const attachment = this.attachment;
        if (attachment?.id === found[1]) {
          attachment?.end();
          await attachment?.ended;
        }
        response.writeHead(204).end();
        return;
      }
      throw new Refusal(404, 'NOT_FOUND', `there is no ${method} ${url} here`, 'This is a swarmbench worker.');
    } catch (error) {
      if (error instanceof Refusal) return send(error.status, error.body);
      this.options.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      send(500, { error: { code: 'INTERNAL', message: 'the worker could not do that; its log says why' } });
    }
  }

  private get isAttached(): boolean {
    return this.attachment !== undefined;
  }

  /** @throws Refusal 401 */
  private authorize({ headers }: IncomingMessage): void {
    const { token } = this.options;
    if (token === undefined) return;
    const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), digest(token))) return;
    throw new Refusal(
      401,
      'UNAUTHORIZED',
      given === undefined ? 'this worker wants its token' : 'that is not the token of this worker',
      'Pass the token with which the worker was started: --workers-token-file.',
    );
  }

  /** @throws Refusal 409 while another controller has the worker */
  private attach(asked: AttachmentRequest, from: string): AttachmentAnswer {
    const before = this.attachment;
    if (before !== undefined && !before.isAbandoned)
      throw new Refusal(
        409,
        'WORKER_BUSY',
        `it works for run ${before.asked.runId} of a controller at ${before.from}`,
        'Wait for that run to end, or name another worker.',
      );
    before?.cut();
    this.counts = noMessages;
    const attachment = new Attachment(asked, from, this.options, (batch) => {
      this.counts = addMessages(this.counts, batch);
    });
    this.attachment = attachment;
    this.options.log(`run ${asked.runId}: a controller at ${from} has attached itself`);
    void attachment.ended.then((why) => {
      this.options.log(`run ${asked.runId}: the controller at ${from} is gone: ${why}`);
      if (this.attachment === attachment) this.attachment = undefined;
    });
    return {
      protocol: PROTOCOL,
      attachmentId: attachment.id,
      host: hostname(),
      version: this.options.version,
    };
  }

  private upgrade(request: IncomingMessage, socket: Socket): void {
    socket.on('error', () => undefined);
    const { attachment } = this;
    const path = attachment === undefined ? undefined : `/attachments/${attachment.id}/connection`;
    if (attachment === undefined || request.url !== path || request.headers.upgrade !== UPGRADE) {
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${UPGRADE}\r\n\r\n`);
    attachment.add(socket);
  }
}

/** The time that one controller has the worker: from its call to its last word. */
class Attachment {
  readonly id = randomUUID();
  /** Why it is over. */
  readonly ended: Promise<string>;
  private readonly stop = new AbortController();
  private readonly stopNow = new AbortController();
  private readonly sockets = new Set<Socket>();
  /** Connections that nobody uses yet. */
  private readonly free: Socket[] = [];
  private readonly waiting: buildConnector.Callback[] = [];
  private aloneSince = performance.now();

  constructor(
    readonly asked: AttachmentRequest,
    readonly from: string,
    { listen: _listen, tls: _tls, token: _token, ...options }: ListenOptions,
    onTelemetry: NonNullable<WorkerOptions['onTelemetry']>,
  ) {
    const worker = new LoadWorker({
      ...options,
      controllerUrl: asked.controllerUrl,
      token: asked.workerToken,
      slot: asked.slot,
      turned: { connections: CONNECTIONS, connect: (_options, callback) => this.give(callback) },
      onTelemetry,
    });
    this.ended = worker
      .work({ drain: this.stop.signal, cut: this.stopNow.signal })
      .then(
        (end) => ('why' in end ? end.why : 'it asked for nothing more'),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      .finally(() => this.close());
  }

  /** The controller has had no connection for long. */
  get isAbandoned(): boolean {
    return this.sockets.size === 0 && performance.now() - this.aloneSince > GONE_MS;
  }

  add(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.aloneSince = performance.now();
      const index = this.free.indexOf(socket);
      if (index >= 0) this.free.splice(index, 1);
    });
    const callback = this.waiting.shift();
    if (callback === undefined) this.free.push(socket);
    else callback(null, socket);
  }

  end(): void {
    this.stop.abort();
  }

  cut(): void {
    this.stop.abort();
    this.stopNow.abort();
  }

  private give(callback: buildConnector.Callback): void {
    const socket = this.free.shift();
    if (socket === undefined) this.waiting.push(callback);
    // Not at once: undici expects an answer only after its call has returned, and would send nothing.
    else setImmediate(() => callback(null, socket));
  }

  private close(): void {
    for (const callback of this.waiting.splice(0)) callback(new Error('the controller is gone'), null);
    for (const socket of this.sockets) socket.destroy();
  }
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    private readonly code: string,
    message: string,
    private readonly hint: string,
  ) {
    super(message);
  }

  get body(): unknown {
    return { error: { code: this.code, message: this.message, hint: this.hint } };
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** @throws Refusal 413 */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, 'TOO_LARGE', `a body has at most ${MAX_BODY_BYTES} bytes`, '');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws Refusal 400 */
function parseRequest(json: string): AttachmentRequest {
  let problem: string;
  try {
    const parsed = attachmentRequest.safeParse(JSON.parse(json));
    if (parsed.success) return parsed.data;
    problem = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  throw new Refusal(
    400,
    'INVALID_BODY',
    `that is no request of a controller: ${problem}`,
    'Controller and worker must be of the same version.',
  );
}
