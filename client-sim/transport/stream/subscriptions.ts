import { isObject, type Problem, violation } from '../../mcp/judge-message.js';
import type { StreamListener } from '../channel.js';

/** A session of the session era, where each subscription is a request. */
export interface SubscribingSession {
  /** Whether to go on: what is subscribed to can be heard of. */
  readonly isListening: boolean;
  /** It has ended: nobody is to be told of anything. */
  readonly isOver: boolean;
  readonly timeoutMs: number;
  subscribe(uri: string, done: (problem: Problem | undefined) => void): void;
  onSessionLost(problem: Problem): void;
}

/**
 * What one session subscribes to, by place in its listener's `uris`: what has been asked for and not answered, and what
 * was taken.
 */
export class Subscriptions {
  private readonly asked = new Set<number>();
  private readonly taken = new Set<number>();
  /** A subscription is on the wire. */
  private asking = false;

  constructor(private readonly listener: StreamListener) {}

  /** Uris that were taken. */
  get uris(): readonly string[] {
    return [...this.taken].map((index) => this.listener.uris[index] ?? '');
  }

  /** Asks for all that is neither asked for nor taken. */
  askAll(): void {
    for (let index = 0; index < this.listener.uris.length; index++) {
      if (this.asked.has(index) || this.taken.has(index)) continue;
      this.asked.add(index);
      this.listener.onSubscribing(index);
    }
  }

  /**
   * Session era: puts what was asked for on the wire, one after the other: a client with many topics has no more than
   * one such request under way.
   */
  askInTurn(session: SubscribingSession): void {
    const [index] = this.asked;
    if (index === undefined || this.asking || !session.isListening) return;
    this.asking = true;
    let waiting = true;
    const over = (problem: Problem | undefined): void => {
      if (!waiting) return;
      waiting = false;
      this.asking = false;
      clearTimeout(timer);
      if (session.isOver) return;
      this.settle(index, problem);
      if (problem?.category === 'session_lost') session.onSessionLost(problem);
      else this.askInTurn(session);
    };
    const { timeoutMs } = session;
    const timer = setTimeout(
      () => over({ category: 'timeout', detail: `no answer to resources/subscribe within ${timeoutMs} ms` }),
      timeoutMs,
    );
    session.subscribe(this.listener.uris[index] ?? '', over);
  }

  /** Stateless era: `notifications/subscriptions/acknowledged` says which of them the server took. */
  acknowledged(message: Record<string, unknown>): void {
    const params = isObject(message.params) ? message.params : {};
    const notifications = isObject(params.notifications) ? params.notifications : {};
    const honoured: unknown = notifications.resourceSubscriptions;
    const uris = new Set<unknown>(Array.isArray(honoured) ? honoured : []);
    for (const index of [...this.asked]) {
      const uri = this.listener.uris[index];
      this.settle(index, uris.has(uri) ? undefined : violation(`the server did not take the subscription to ${uri}`));
    }
  }

  /** Those asked for have failed. */
  abandon(problem: Problem): void {
    for (const index of [...this.asked]) this.settle(index, problem);
  }

  /** Those taken are no more. */
  forget(): void {
    this.taken.clear();
  }

  private settle(index: number, problem: Problem | undefined): void {
    if (!this.asked.delete(index)) return;
    if (problem === undefined) this.taken.add(index);
    this.listener.onSubscribed(index, problem);
  }
}
