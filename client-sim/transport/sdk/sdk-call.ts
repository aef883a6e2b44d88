import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import { type RequestTemplate, renderRequest } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { isObject } from '../../mcp/json-value.js';
import { CLIENT_INFO, metaEnvelope } from '../../mcp/revisions.js';
import { FIRST_ID } from '../../protocol/id-ranges.js';
import { kindOf, type RequestKind } from '../request-head.js';
import type { Exchange } from './exchange.js';
import type { OnResumptionToken } from './official-client.js';

/** One operation on its way through an SDK's client. */
export class SdkCall {
  readonly method: OperationPlan['method'];
  readonly params: Readonly<Record<string, unknown>>;
  /** Headers made from its arguments. */
  readonly headers: NonNullable<RequestKind['params']>;
  /** A copy: the one given belongs to its client, and changes. */
  readonly draw: Draw;
  readonly abort = new AbortController();
  readonly onresumptiontoken: OnResumptionToken;
  /** Id of its JSON-RPC request, which the SDK assigns; -1 before. */
  id = -1;
  exchange: Exchange | undefined;
  /** The JSON-RPC answer, as the SDK's transport received it. */
  message: unknown;
  /** Id of the last event on its stream: with one, the SDK requests the rest when the stream breaks off. */
  lastEventId: string | undefined;
  /** It was answered, or its client no longer waits. */
  over = false;

  constructor(
    readonly template: RequestTemplate,
    { seed, slot, sequence, stamp }: Draw,
    readonly ticket: number,
  ) {
    const draw = { seed, slot, sequence, stamp };
    this.draw = draw;
    this.headers = kindOf(template, draw).params ?? [];
    const { method, params = {} } = JSON.parse(renderRequest(template, FIRST_ID, draw)) as {
      readonly method: OperationPlan['method'];
      readonly params?: Record<string, unknown>;
    };
    this.method = method;
    this.params = withoutEnvelope(params);
    this.onresumptiontoken = (eventId) => (this.lastEventId = eventId);
  }

  /** Ends its HTTP answer too: the SDK leaves it open, which would keep a connection for each abandoned call. */
  cancel(reason: string): void {
    this.over = true;
    this.abort.abort(reason);
    this.exchange?.abort.abort();
  }
}

const ENVELOPE = Object.keys(metaEnvelope('', CLIENT_INFO));

/** The stateless era's SDK adds the envelope to each request itself. */
function withoutEnvelope(params: Record<string, unknown>): Record<string, unknown> {
  const meta = params._meta;
  if (!isObject(meta)) return params;
  const { _meta: _, ...rest } = params;
  const kept = Object.entries(meta).filter(([key]) => !ENVELOPE.includes(key));
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}

/** How a message from the server relates to the calls of a session. */
type Meaning =
  | { readonly kind: 'answer'; readonly call: SdkCall }
  /** An answer to a call that was abandoned or already answered. */
  | { readonly kind: 'late' }
  /** An answer to a request that the SDK sent itself. */
  | { readonly kind: 'control' }
  | { readonly kind: 'request' }
  | { readonly kind: 'notification'; readonly method: string }
  /** An answer with an id that no request had. */
  | { readonly kind: 'stray'; readonly id: unknown };

/** The calls of one session in flight: by ticket, in the order they were sent, and by the id that the SDK gave each. */
export class CallTable {
  private readonly byTicket = new Map<number, SdkCall>();
  private readonly callsById = new Map<unknown, SdkCall>();
  private readonly byToken = new WeakMap<OnResumptionToken, SdkCall>();
  /** Ids of requests that the SDK sent itself. */
  private readonly controls = new Set<unknown>();
  private highestId = -1;

  get size(): number {
    return this.byTicket.size;
  }
  get oldest(): SdkCall | undefined {
    return this.byTicket.values().next().value;
  }

  add(call: SdkCall): void {
    this.byTicket.set(call.ticket, call);
    this.byToken.set(call.onresumptiontoken, call);
  }

  find(ticket: number): SdkCall | undefined {
    return this.byTicket.get(ticket);
  }

  byId(id: unknown): SdkCall | undefined {
    return this.callsById.get(id);
  }

  /** The client no longer waits for it; its id is known until `forget`. */
  remove(call: SdkCall): void {
    this.byTicket.delete(call.ticket);
  }

  /** The SDK has finished it. */
  forget(call: SdkCall): void {
    this.callsById.delete(call.id);
  }

  /** A message of ours is about to leave; it belongs to a call when it comes with the call's token. */
  onSend(message: unknown, token: OnResumptionToken | undefined): void {
    if (!isObject(message) || typeof message.method !== 'string' || message.id === undefined) return;
    const { id } = message;
    const call = token === undefined ? undefined : this.byToken.get(token);
    if (call === undefined || typeof id !== 'number') {
      this.controls.add(id);
      return;
    }
    call.id = id;
    this.callsById.set(id, call);
    this.highestId = Math.max(this.highestId, id);
  }

  meaningOf(message: unknown): Meaning {
    const { id, method } = isObject(message) ? message : {};
    if (typeof method === 'string')
      return id === undefined || id === null ? { kind: 'notification', method } : { kind: 'request' };
    const call = this.callsById.get(id);
    if (call !== undefined) return call.over ? { kind: 'late' } : { kind: 'answer', call };
    if (this.controls.delete(id)) return { kind: 'control' };
    return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= this.highestId
      ? { kind: 'late' }
      : { kind: 'stray', id };
  }
}
