import type { IncomingMessage, ServerResponse } from 'node:http';
import { eraOf, type ServedEra } from '../mcp/era.js';
import { describe, type Inbound, isStream, LARGEST_MESSAGE_BYTES, withoutBody } from '../mcp/inbound.js';
import type { LegacyEra } from '../mcp/legacy-era.js';
import type { ModernEra } from '../mcp/modern-era.js';
import { rpcErrorResponse } from '../mcp/outcome.js';
import type { MessageObserver } from '../mcp/pending-requests.js';
import { type Body, Exchange, readJsonBody } from './exchange.js';

interface McpEndpointParts extends MessageObserver {
  readonly replica: string;
  readonly era: ServedEra;
  readonly legacy: LegacyEra;
  readonly modern: ModernEra;
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
  const inbound = body === undefined ? withoutBody(httpMethod) : inboundOf(body);
  parts.onBegin(inbound);
  const exchange = new Exchange(
    incoming,
    outgoing,
    (outcome) => parts.onEnd(inbound, outcome, performance.now() - startedAt),
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

function inboundOf(body: Body): Inbound {
  return body.kind === 'json' ? describe(body.value) : unreadable;
}

function refusal(kind: 'malformed' | 'too-large'): Response {
  return kind === 'malformed'
    ? rpcErrorResponse(400, -32700, 'Parse error: Invalid JSON')
    : rpcErrorResponse(413, -32000, `Payload Too Large: Request body must not exceed ${LARGEST_MESSAGE_BYTES} bytes`);
}
