import { isObject, judgeError, judgeMessage, type Problem, violation } from '../../mcp/judge-message.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { PinnedProtocol } from '../../protocol/messages.js';
import { judgeHttp } from '../judge-http.js';
import type { Exchange } from './exchange.js';
import type { SdkCall } from './sdk-call.js';

/**
 * What an SDK's client and its exchanges are judged by: the rules of all transports, on the bytes and messages below
 * the SDK.
 */
export interface Rules {
  readonly era: PinnedProtocol['era'];
  readonly hasSession: boolean;
}

/**
 * What a call came to.
 * @param refusal what the SDK's promise was rejected with; undefined: it was resolved
 */
export function judgeCall(call: SdkCall, refusal: unknown, rules: Rules): Problem | undefined {
  const { exchange, message, id } = call;
  // A message may have come although its stream broke off: on another one, by which the SDK resumed it.
  if (message !== undefined) return judgeMessage(message, id, beyond(call)) ?? whyRefused(refusal);
  const problem = exchange === undefined ? undefined : judgeExchange(exchange, rules);
  if (problem !== undefined) return problem;
  if (exchange?.head?.mediaType === 'json') return judgeBody(exchange, id, rules) ?? whyRefused(refusal);
  return whyUnsent(exchange, refusal) ?? whyRefused(refusal);
}

/** What is wrong with an exchange whatever its messages say; undefined: nothing. */
export function judgeExchange(exchange: Exchange, { era, hasSession }: Rules): Problem | undefined {
  const { head, problem, body } = exchange;
  if (head === undefined) return problem;
  const { status, mediaType } = head;
  const judged = (): Problem | undefined => judgeHttp(head, body, 0, body.length, { id: 0, era, hasSession, turn: 0 });
  if (status >= 300) return problem ?? judged();
  if (exchange.id === undefined) return undefined;
  // What can be no answer is known by its head; the SDK gives up the rest.
  if (status === 202 || status === 204 || (mediaType !== 'json' && mediaType !== 'event-stream')) return judged();
  return problem;
}

/** Why a session was not opened, by the last exchange of the handshake. */
export function judgeHandshake(exchange: Exchange | undefined, refusal: unknown, rules: Rules): Problem {
  const problem = exchange === undefined ? undefined : judgeExchange(exchange, rules);
  return (
    problem ??
    (exchange === undefined ? undefined : errorIn(exchange)) ??
    whyUnsent(exchange, refusal) ??
    whyRefused(refusal) ??
    violation("the SDK's client ended the handshake")
  );
}

function judgeBody(exchange: Exchange, id: number, { era, hasSession }: Rules): Problem | undefined {
  const { head, body } = exchange;
  return head === undefined ? undefined : judgeHttp(head, body, 0, body.length, { id, era, hasSession, turn: 0 });
}

/** A JSON-RPC error in a JSON answer. */
function errorIn({ body }: Exchange): Problem | undefined {
  const parsed = parseMessage(body, 0, body.length);
  return parsed.ok && isObject(parsed.value) && parsed.value.error !== undefined
    ? judgeError(parsed.value.error)
    : undefined;
}

/** A fetch that did not even try: it refuses ports that browsers do (Fetch Standard, "bad port"). */
function whyUnsent(exchange: Exchange | undefined, refusal: unknown): Problem | undefined {
  if (exchange === undefined || exchange.head !== undefined || !(refusal instanceof Error)) return undefined;
  let cause = refusal;
  while (cause.cause instanceof Error) cause = cause.cause;
  return { category: 'connect', detail: `the fetch under the SDK's client refuses to connect: ${cause.message}` };
}

/** Only the SDK itself found something wrong: it is stricter about results than MCP's base protocol. */
function whyRefused(refusal: unknown): Problem | undefined {
  if (refusal === undefined) return undefined;
  const words = refusal instanceof Error ? refusal.message : String(refusal);
  return violation(`the SDK's client refuses the answer: ${words.replace(/\s+/g, ' ').slice(0, 300)}`);
}

/**
 * The length of the message is that of a JSON answer; of one in a stream, whose bytes the SDK keeps to itself, it is
 * that of the same JSON written without spaces.
 */
function beyond({
  template: { expectation },
  exchange,
  message,
}: SdkCall): ((result: unknown) => Problem | undefined) | undefined {
  if (expectation === undefined) return undefined;
  const bytes = exchange?.head?.mediaType === 'json' ? exchange.bytes : Buffer.byteLength(JSON.stringify(message));
  return (result) => expectation(result, bytes);
}
