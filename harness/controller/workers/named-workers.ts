import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher, request, upgrade } from 'undici';
import {
  type AttachmentRequest,
  attachmentAnswer,
  attachmentRefusal,
  CONNECTIONS,
  UPGRADE,
} from '../../../client-sim/protocol/attachment.js';
import { PROTOCOL } from '../../../client-sim/protocol/messages.js';
import { ControllerError } from '../../log/errors.js';
import { messageOf } from '../../support/error-message.js';

const CALL_MS = 5_000;
/** A worker ends its run in good order before it answers. */
const DETACH_MS = 10_000;
const MAX_PAUSE_MS = 1_000;

/** Workers that wait to be asked, in the order of allocation. */
export interface NamedWorkers {
  readonly urls: readonly string[];
  /** What the workers were started with. */
  readonly token?: string;
  /** PEM text of the authorities to trust, instead of those of the system. */
  readonly ca?: string;
}

export interface AttachContext {
  readonly runId: string;
  readonly controllerUrl: string;
  /** What the workers register with. */
  readonly workerToken: string;
  /** Takes a connection over which a worker calls this controller. */
  readonly accept: (connection: Duplex) => void;
  readonly signal: AbortSignal;
}

export interface Attached {
  /** The workers are free again. Never rejects. */
  detach(): Promise<void>;
}

/**
 * Dials the workers. They then register as any other worker does, over the connections that are kept to each of them.
 * @throws ControllerError WORKERS_MISSING, which names each that cannot be had
 */
export async function attachWorkers(named: NamedWorkers, context: AttachContext): Promise<Attached> {
  const agent = new Agent({ connect: { timeout: CALL_MS, ...(named.ca === undefined ? {} : { ca: named.ca }) } });
  const links = named.urls.map((url, index) => new WorkerLink(url, index + 1, named.token, agent, context));
  const problems = (await Promise.all(links.map((link) => link.attach()))).filter((problem) => problem !== undefined);
  const detach = async (): Promise<void> => {
    await Promise.all(links.map((link) => link.detach()));
    await agent.destroy();
  };
  if (problems.length === 0) return { detach };
  await detach();
  throw new ControllerError(
    'WORKERS_MISSING',
    `${problems.length} of ${links.length} workers cannot be had: ${problems.join('; ')}`,
    'Start each with `swarmbench worker --listen PORT`, and pass its token with --workers-token-file.',
  );
}

/** One worker that this controller has dialled. */
class WorkerLink {
  private id: string | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly url: string,
    private readonly slot: number,
    private readonly token: string | undefined,
    private readonly dispatcher: Dispatcher,
    private readonly context: AttachContext,
  ) {}

  /** @returns why it cannot be had */
  async attach(): Promise<string | undefined> {
    const { runId, controllerUrl, workerToken, signal } = this.context;
    const body: AttachmentRequest = { protocol: PROTOCOL, runId, controllerUrl, workerToken, slot: this.slot };
    try {
      const answer = await this.call(
        'POST',
        'attachments',
        AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
        body,
      );
      if (answer.status !== 201) return `${this.url}: ${refusalOf(answer)}`;
      this.id = attachmentAnswer.parse(answer.body).attachmentId;
    } catch (error) {
      return `${this.url}: ${messageOf(error)}`;
    }
    for (let number = 0; number < CONNECTIONS; number++) void this.keepConnection(this.id);
    return undefined;
  }

  async detach(): Promise<void> {
    if (this.id === undefined) return;
    await this.call('DELETE', `attachments/${this.id}`, AbortSignal.timeout(DETACH_MS)).catch(() => undefined);
    this.closing.abort();
  }

  /** Makes it again whenever it is lost, until the worker is let go. */
  private async keepConnection(id: string): Promise<void> {
    const { signal } = this.closing;
    for (let pauseMs = 50; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        const { socket } = await upgrade(this.address(`attachments/${id}/connection`), {
          dispatcher: this.dispatcher,
          protocol: UPGRADE,
          headers: this.authorization,
          signal,
        });
        pauseMs = 50;
        await this.use(socket);
      } catch {
        // The worker notices by its lease when it cannot be reached for long, and the run by its silence.
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Resolves when the connection is over. */
  private async use(socket: Duplex): Promise<void> {
    const cut = (): void => void socket.destroy();
    const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    this.closing.signal.addEventListener('abort', cut, { once: true });
    this.context.accept(socket);
    await over;
    this.closing.signal.removeEventListener('abort', cut);
  }

  private async call(
    method: 'POST' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: AttachmentRequest,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await request(this.address(path), {
      dispatcher: this.dispatcher,
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...this.authorization },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: parsed(text) };
  }

  private address(path: string): URL {
    return new URL(path, this.url.endsWith('/') ? this.url : `${this.url}/`);
  }

  private get authorization(): Record<string, string> {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
  }
}

function refusalOf({ status, body }: { readonly status: number; readonly body: unknown }): string {
  const refusal = attachmentRefusal.safeParse(body);
  if (refusal.success) return refusal.data.error.message;
  return `HTTP ${status}, which no worker of this version answers`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
