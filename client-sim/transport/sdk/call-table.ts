import { isObject } from '../../mcp/judge-message.js';
import type { OnResumptionToken } from './official-client.js';
import type { SdkCall } from './sdk-call.js';

/** What a message of the server is to the calls of a session. */
export type Meaning =
  | { readonly kind: 'answer'; readonly call: SdkCall }
  /** To a call that was given up or had its answer. */
  | { readonly kind: 'late' }
  /** To a request of the SDK's own. */
  | { readonly kind: 'control' }
  | { readonly kind: 'request' }
  | { readonly kind: 'notification'; readonly method: string }
  /** An answer that carries an id no request had. */
  | { readonly kind: 'stray'; readonly id: unknown };

/** The calls of one session in flight: by ticket, in the order they were sent, and by the id that the SDK gave each. */
export class CallTable {
  private readonly byTicket = new Map<number, SdkCall>();
  private readonly callsById = new Map<unknown, SdkCall>();
  private readonly byToken = new WeakMap<OnResumptionToken, SdkCall>();
  /** Of the SDK's own requests. */
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
  take(call: SdkCall): void {
    this.byTicket.delete(call.ticket);
  }

  /** The SDK is done with it. */
  forget(call: SdkCall): void {
    this.callsById.delete(call.id);
  }

  /** A message of ours is about to leave; of a call when it comes with that call's function. */
  sent(message: unknown, token: OnResumptionToken | undefined): void {
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
