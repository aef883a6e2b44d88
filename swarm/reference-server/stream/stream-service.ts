import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Catalogue } from '../catalogue/catalogue.js';
import { updateParams } from '../catalogue/topics.js';
import type { ServedEra } from '../mcp/era.js';
import { createLegacyServer } from '../mcp/legacy-server.js';
import { createModernServer } from '../mcp/modern-era.js';
import type { MessageObserver } from '../mcp/pending-requests.js';
import type { SessionObserver } from '../mcp/session-table.js';
import type { Conversation } from './conversation.js';
import { StreamTransport } from './stream-transport.js';

interface StreamServiceOptions {
  readonly replica: string;
  readonly era: ServedEra;
}

const PARSE_ERROR = '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error: Invalid JSON"},"id":null}';

/**
 * MCP on connections that carry messages in both directions. A connection is a session, and its first message decides
 * which era it is of.
 */
export class StreamService {
  /** Open sessions of the session era. */
  sessions = 0;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly options: StreamServiceOptions,
    private readonly observer: MessageObserver,
    private readonly sessionObserver: Pick<SessionObserver, 'sessionOpened' | 'sessionClosed'>,
  ) {}

  readonly serve = (conversation: Conversation): void => {
    const transport = new StreamTransport(conversation, this.options.replica, this.observer);
    let started = false;
    // Messages are handed over in order, once the server for them has been made.
    let before: Promise<void> = Promise.resolve();
    conversation.onText = (text) => {
      const body = parse(text);
      if (body === undefined) return conversation.send(PARSE_ERROR);
      if (started) {
        before = before.then(() => transport.receive(body));
        return;
      }
      // A client that does not initialize first is of the stateless era, or will learn that it has to.
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
    // The SDK passes on what a subscription asks for and drops the rest, so it needs updates only once there is one.
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
