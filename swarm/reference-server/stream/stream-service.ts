import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Catalogue } from '../catalogue/catalogue.js';
import { updateParams } from '../catalogue/topics.js';
import type { ServedEra } from '../mcp/era.js';
import { createLegacyServer } from '../mcp/legacy-server.js';
import { createModernServer } from '../mcp/modern-era.js';
import type { Conversation } from './conversation.js';
import { type MessageObserver, StreamTransport } from './stream-transport.js';

interface StreamServiceOptions {
  readonly replica: string;
  readonly era: ServedEra;
}

/** Told of every session of the session era once when it opens and once when it ends. */
interface StreamSessions {
  sessionOpened(): void;
  sessionClosed(): void;
}

const unreadable = '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error: Invalid JSON"},"id":null}';

/**
 * MCP on connections that carry messages both ways. A connection is a session, and its first message says of which era.
 */
export class StreamService {
  /** Sessions of the session era that are open. */
  sessions = 0;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly options: StreamServiceOptions,
    private readonly observer: MessageObserver,
    private readonly sessionObserver: StreamSessions,
  ) {}

  readonly serve = (conversation: Conversation): void => {
    const transport = new StreamTransport(conversation, this.options.replica, this.observer);
    let started = false;
    // Messages wait their turn until the server they are for is there.
    let before: Promise<void> = Promise.resolve();
    conversation.onText = (text) => {
      const body = parse(text);
      if (body === undefined) return conversation.send(unreadable);
      if (started) {
        before = before.then(() => transport.receive(body));
        return;
      }
      // Whoever asks before it introduces itself is of the stateless era, or about to find out.
      const legacy = this.options.era === 'legacy' || (this.options.era === 'both' && isInitialize(body));
      started = true;
      before = (legacy ? this.serveLegacy(transport) : this.serveModern(transport)).then(() => transport.receive(body));
    };
  };

  private async serveLegacy(transport: StreamTransport): Promise<void> {
    const subscriptions = new Map<string, () => void>();
    const server = createLegacyServer(this.catalogue, subscriptions);
    let open = false;
    server.oninitialized = () => {
      if (open) return;
      open = true;
      this.sessions += 1;
      this.sessionObserver.sessionOpened();
    };
    server.onclose = () => {
      for (const end of subscriptions.values()) end();
      subscriptions.clear();
      if (!open) return;
      this.sessions -= 1;
      this.sessionObserver.sessionClosed();
    };
    await server.connect(transport as Parameters<typeof server.connect>[0]);
  }

  private serveModern(transport: StreamTransport): Promise<void> {
    let server: ReturnType<typeof createModernServer> | undefined;
    serveStdio(() => (server = createModernServer(this.catalogue, this.options.replica)), {
      transport,
      legacy: 'reject',
    });
    // The SDK passes on what a subscription asks for and drops the rest; but only where there is one it need be told at
    // all.
    transport.onListen = () =>
      this.catalogue.topics.listen(
        (update) => void server?.sendResourceUpdated(updateParams(update)).catch(() => undefined),
      );
    return Promise.resolve();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isInitialize(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'method' in body && body.method === 'initialize';
}
