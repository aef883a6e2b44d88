import type { Order } from '../protocol/messages.js';
import { parseOrder } from '../protocol/order-codec.js';
import type { ControllerHttp } from './controller-http.js';
import { EventStreamParser, type StreamEvent } from './event-stream-parser.js';
import type { Membership } from './membership.js';
import { Retry } from './retry.js';

/**
 * The controller sends a comment every 15 s: after more than two of them the connection is dead, whatever TCP thinks.
 */
const SILENCE_MS = 40_000;
const LONGEST_PAUSE_MS = 2_000;

interface OrderStreamOptions {
  readonly http: ControllerHttp;
  readonly membership: Membership;
  readonly onOrder: (order: Order) => void;
  readonly warn: (text: string) => void;
}

/** Receives orders as long as the worker lives, over as many connections as it takes, each order at least once. */
export class OrderStream {
  private lastEventId = '';

  constructor(private readonly options: OrderStreamOptions) {}

  /** Registered anew: the numbers seen so far may be another controller's. Orders carry ids, so repeats do no harm. */
  reset(): void {
    this.lastEventId = '';
  }

  /** Runs until aborted. @throws RegistrationRefused */
  async run(signal: AbortSignal): Promise<void> {
    const retry = new Retry(LONGEST_PAUSE_MS);
    while (!signal.aborted) {
      try {
        await this.connection(signal, () => retry.succeeded());
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'WORKER_REFUSED') throw error;
        // Whatever broke this connection, the next one tells whether it lasts; the lease bounds how long that may take.
      }
      await retry.wait(signal);
    }
  }

  private async connection(signal: AbortSignal, connected: () => void): Promise<void> {
    const { http, membership } = this.options;
    const identity = membership.identity ?? (await membership.register(signal));
    const cut = new AbortController();
    const silence = setTimeout(() => cut.abort(new Error('the stream of orders fell silent')), SILENCE_MS);
    try {
      const resume: Record<string, string> = this.lastEventId === '' ? {} : { 'last-event-id': this.lastEventId };
      const response = await http.stream(
        `/workers/${identity.workerId}/assignments`,
        resume,
        identity.token,
        AbortSignal.any([signal, cut.signal]),
      );
      if (response.statusCode !== 200) {
        response.resume();
        if (response.statusCode === 404 || response.statusCode === 401) await membership.forgotten(signal);
        return;
      }
      connected();
      membership.heard();
      const parser = new EventStreamParser((event) => this.receive(event));
      response.setEncoding('utf8');
      for await (const text of response) {
        silence.refresh();
        membership.heard();
        parser.feed(String(text));
      }
    } finally {
      clearTimeout(silence);
    }
  }

  private receive(event: StreamEvent): void {
    if (event.id !== '') this.lastEventId = event.id;
    try {
      this.options.onOrder(parseOrder(event.data));
    } catch (error) {
      this.options.warn(error instanceof Error ? error.message : String(error));
    }
  }
}
