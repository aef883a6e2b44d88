import { isObject } from '../../mcp/json-value.js';
import { violation } from '../../mcp/judge-message.js';
import type { Problem } from '../../measure/failure.js';
import type { StreamListener } from '../channel.js';

/** A stream of the session era, where each subscription is a request. */
export interface SubscribingStream {
  /** Whether updates can arrive. */
  readonly isListening: boolean;
  /** It has ended: no event may follow. */
  readonly isOver: boolean;
  readonly timeoutMs: number;
  subscribe(uri: string, done: (problem: Problem | undefined) => void): void;
  onSessionLost(problem: Problem): void;
}

/**
 * The subscriptions of one session, by index in its listener's `uris`: those requested and not answered yet, and those
 * that the server accepted.
 */
export class Subscriptions {
  private readonly requested = new Set<number>();
  private readonly accepted = new Set<number>();
  /** A subscription request is on the wire. */
  private sending = false;

  constructor(private readonly listener: StreamListener) {}

  /** Those of accepted subscriptions. */
  get uris(): readonly string[] {
    return [...this.accepted].map((index) => this.listener.uris[index] ?? '');
  }

  /** Requests all that are neither requested nor accepted. */
  requestAll(): void {
    for (let index = 0; index < this.listener.uris.length; index++) {
      if (this.requested.has(index) || this.accepted.has(index)) continue;
      this.requested.add(index);
      this.listener.onSubscribing(index);
    }
  }

  /** Session era: sends the requested ones one after the other, so that a client has one such request in flight. */
  sendInTurn(stream: SubscribingStream): void {
    const [index] = this.requested;
    if (index === undefined || this.sending || !stream.isListening) return;
    this.sending = true;
    let waiting = true;
    const answered = (problem: Problem | undefined): void => {
      if (!waiting) return;
      waiting = false;
      this.sending = false;
      clearTimeout(timer);
      if (stream.isOver) return;
      this.settle(index, problem);
      if (problem?.category === 'session_lost') stream.onSessionLost(problem);
      else this.sendInTurn(stream);
    };
    const { timeoutMs } = stream;
    const timer = setTimeout(
      () => answered({ category: 'timeout', detail: `no answer to resources/subscribe within ${timeoutMs} ms` }),
      timeoutMs,
    );
    stream.subscribe(this.listener.uris[index] ?? '', answered);
  }

  /** Stateless era: `notifications/subscriptions/acknowledged` lists those that the server accepted. */
  acknowledged(message: Record<string, unknown>): void {
    const params = isObject(message.params) ? message.params : {};
    const notifications = isObject(params.notifications) ? params.notifications : {};
    const honoured: unknown = notifications.resourceSubscriptions;
    const uris = new Set<unknown>(Array.isArray(honoured) ? honoured : []);
    for (const index of [...this.requested]) {
      const uri = this.listener.uris[index];
      this.settle(index, uris.has(uri) ? undefined : violation(`the server did not accept the subscription to ${uri}`));
    }
  }

  /** The requested ones have failed. */
  abandon(problem: Problem): void {
    for (const index of [...this.requested]) this.settle(index, problem);
  }

  /** The accepted ones have ended. */
  forget(): void {
    this.accepted.clear();
  }

  private settle(index: number, problem: Problem | undefined): void {
    if (!this.requested.delete(index)) return;
    if (problem === undefined) this.accepted.add(index);
    this.listener.onSubscribed(index, problem);
  }
}
