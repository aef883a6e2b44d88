import { isObject } from '../../mcp/json-value.js';
import { judgeError, judgeMessage, violation } from '../../mcp/judge-message.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { Problem } from '../../measure/failure.js';
import type { PinnedProtocol } from '../../protocol/messages.js';
import { judgeHttp } from '../judge-http.js';
import type { Exchange } from './exchange.js';
import type { SdkCall } from './sdk-call.js';

/** The rules of all transports, by which the bytes and messages below an SDK's client are judged. */
export interface Rules {
  readonly era: PinnedProtocol['era'];
  readonly hasSession: boolean;
}

/**
 * Judges a finished call.
 * @param refusal the error that rejected the SDK's promise; undefined: it was resolved
 */
export function judgeCall(call: SdkCall, refusal: unknown, rules: Rules): Problem | undefined {
  const { exchange, message, id } = call;
  // A message may have come although its stream broke off: on the stream by which the SDK resumed it.
  if (message !== undefined) return judgeMessage(message, id, resultExpectation(call)) ?? refusalProblem(refusal);
  const problem = exchange === undefined ? undefined : judgeExchange(exchange, rules);
  if (problem !== undefined) return problem;
  if (exchange?.head?.mediaType === 'json') return judgeBody(exchange, id, rules) ?? refusalProblem(refusal);
  return unsentProblem(exchange, refusal) ?? refusalProblem(refusal);
}

/** The problem of an exchange regardless of its messages; undefined: there is none. */
export function judgeExchange(exchange: Exchange, { era, hasSession }: Rules): Problem | undefined {
  const { head, problem, body } = exchange;
  if (head === undefined) return problem;
  const { status, mediaType } = head;
  const judged = (): Problem | undefined => judgeHttp(head, body, 0, body.length, { id: 0, era, hasSession, turn: 0 });
  if (status >= 300) return problem ?? judged();
  if (exchange.id === undefined) return undefined;
  // The head alone shows that this cannot be an answer; the SDK does not read the rest.
  if (status === 202 || status === 204 || (mediaType !== 'json' && mediaType !== 'event-stream')) return judged();
  return problem;
}

/** Why a session could not be opened, judged by the last exchange of the handshake. */
export function judgeHandshake(exchange: Exchange | undefined, refusal: unknown, rules: Rules): Problem {
  const problem = exchange === undefined ? undefined : judgeExchange(exchange, rules);
  return (
    problem ??
    (exchange === undefined ? undefined : errorIn(exchange)) ??
    unsentProblem(exchange, refusal) ??
    refusalProblem(refusal) ??
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

/** A request that fetch did not send: it refuses the ports that browsers refuse (Fetch Standard, "bad port"). */
function unsentProblem(exchange: Exchange | undefined, refusal: unknown): Problem | undefined {
  if (exchange === undefined || exchange.head !== undefined || !(refusal instanceof Error)) return undefined;
  let cause = refusal;
  while (cause.cause instanceof Error) cause = cause.cause;
  return { category: 'connect', detail: `the fetch under the SDK's client refuses to connect: ${cause.message}` };
}

/** An answer that only the SDK refuses: it is stricter about results than MCP's base protocol. */
function refusalProblem(refusal: unknown): Problem | undefined {
  if (refusal === undefined) return undefined;
  const reason = refusal instanceof Error ? refusal.message : String(refusal);
  return violation(`the SDK's client refuses the answer: ${reason.replace(/\s+/g, ' ').slice(0, 300)}`);
}

/**
 * The length of a message is that of the JSON answer. The SDK hides the bytes of a message in a stream, so its length
 * is that of the same JSON written without spaces.
 */
function resultExpectation({
  template: { judge },
  draw,
  exchange,
  message,
}: SdkCall): ((result: unknown) => Problem | undefined) | undefined {
  if (judge === undefined) return undefined;
  const bytes = exchange?.head?.mediaType === 'json' ? exchange.bytes : Buffer.byteLength(JSON.stringify(message));
  return (result) => judge(result, bytes, draw);
}
