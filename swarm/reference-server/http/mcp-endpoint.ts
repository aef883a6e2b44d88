import type { IncomingMessage, ServerResponse } from 'node:http';
import { eraOf, type ServedEra } from '../mcp/era.js';
import { describe, type Inbound, isStream, withoutBody } from '../mcp/inbound.js';
import type { LegacyEra } from '../mcp/legacy-era.js';
import type { ModernEra } from '../mcp/modern-era.js';
import { type Outcome, rpcErrorResponse } from '../mcp/outcome.js';
import { Exchange, largestBodyBytes, readJsonBody } from './exchange.js';

export interface McpEndpointParts {
  readonly replica: string;
  readonly era: ServedEra;
  readonly legacy: LegacyEra;
  readonly modern: ModernEra;
  /** Told of every exchange once, when its request has been read. */
  begun(inbound: Inbound): void;
  readonly streams: StreamObserver;
  /** Told of every exchange that has begun once, when it is over. */
  ended(inbound: Inbound, outcome: Outcome, durationMs: number): void;
}

interface StreamObserver {
  /** A stream that its client keeps open. */
  streamOpened(): void;
  streamClosed(): void;
  /** A piece of any stream has been written. */
  streamed(text: string): void;
}

const unreadable: Inbound = { ...withoutBody('POST'), label: 'invalid' };

/** `/mcp`: reads the request, lets the right era answer it, and reports how it went. */
export async function answerMcp(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  parts: McpEndpointParts,
): Promise<void> {
  const startedAt = performance.now();
  const httpMethod = incoming.method ?? 'GET';
  const body = httpMethod === 'POST' ? await readJsonBody(incoming) : undefined;
  if (body?.kind === 'aborted') return;
  const inbound =
    body === undefined ? withoutBody(httpMethod) : body.kind === 'json' ? describe(body.value) : unreadable;
  parts.begun(inbound);
  const exchange = new Exchange(
    incoming,
    outgoing,
    (outcome) => parts.ended(inbound, outcome, performance.now() - startedAt),
    (text) => parts.streams.streamed(text),
  );
  if (body !== undefined && body.kind !== 'json') return exchange.send(refusal(body.kind), parts.replica);
  const response =
    eraOf(parts.era, httpMethod, incoming.headers, inbound.body) === 'modern'
      ? await parts.modern.answer(exchange.toRequest(), inbound)
      : await parts.legacy.answer(exchange.toRequest(), inbound, exchange.onEnd);
  if (isStream(inbound) && response.status === 200 && response.headers.get('content-type') === 'text/event-stream') {
    parts.streams.streamOpened();
    exchange.onEnd(() => parts.streams.streamClosed());
  }
  await exchange.send(response, parts.replica);
}

function refusal(kind: 'malformed' | 'too-large'): Response {
  return kind === 'malformed'
    ? rpcErrorResponse(400, -32700, 'Parse error: Invalid JSON')
    : rpcErrorResponse(413, -32000, `Payload Too Large: Request body must not exceed ${largestBodyBytes} bytes`);
}
