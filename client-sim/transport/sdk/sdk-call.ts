import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import { renderRequest } from '../../mcp/compile-request.js';
import { FIRST_ID } from '../../mcp/digits.js';
import type { Draw } from '../../mcp/draw.js';
import { isObject } from '../../mcp/judge-message.js';
import type { RequestTemplate } from '../../mcp/request-template.js';
import { CLIENT_INFO, metaEnvelope } from '../../mcp/revisions.js';
import { kindOf, type RequestKind } from '../request-head.js';
import type { Exchange } from './exchange.js';
import type { OnResumptionToken } from './official-client.js';

/** One operation on its way through an SDK's client. */
export class SdkCall {
  readonly method: OperationPlan['method'];
  readonly params: Readonly<Record<string, unknown>>;
  /** Those made from its arguments. */
  readonly headers: NonNullable<RequestKind['params']>;
  readonly abort = new AbortController();
  readonly onresumptiontoken: OnResumptionToken;
  /** Of its JSON-RPC request, which the SDK numbers; -1 before. */
  id = -1;
  exchange: Exchange | undefined;
  /** The JSON-RPC answer, as the SDK's transport got it. */
  message: unknown;
  /** Of the last event on its stream: with one, the SDK asks for the rest when the stream breaks off. */
  lastEventId: string | undefined;
  /** It was answered, or nobody waits for it any more. */
  over = false;

  constructor(
    readonly template: RequestTemplate,
    draw: Draw,
    readonly ticket: number,
  ) {
    this.headers = kindOf(template, draw).params ?? [];
    const { method, params = {} } = JSON.parse(renderRequest(template, FIRST_ID, draw)) as {
      readonly method: OperationPlan['method'];
      readonly params?: Record<string, unknown>;
    };
    this.method = method;
    this.params = withoutEnvelope(params);
    this.onresumptiontoken = (eventId) => (this.lastEventId = eventId);
  }

  /** Its HTTP answer too: what the SDK leaves open would be one more connection for each call that was given up. */
  cut(reason: string): void {
    this.over = true;
    this.abort.abort(reason);
    this.exchange?.abort.abort();
  }
}

const ENVELOPE = Object.keys(metaEnvelope('', CLIENT_INFO));

/** The stateless era's SDK puts its own around each request. */
function withoutEnvelope(params: Record<string, unknown>): Record<string, unknown> {
  const meta = params._meta;
  if (!isObject(meta)) return params;
  const { _meta: _, ...rest } = params;
  const kept = Object.entries(meta).filter(([key]) => !ENVELOPE.includes(key));
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}
