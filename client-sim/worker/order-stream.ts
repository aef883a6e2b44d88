import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Order } from '../protocol/messages.js';
import { parseOrder } from '../protocol/order-codec.js';
import type { ControllerHttp } from './controller-http.js';
import { type Membership, RegistrationRefused } from './membership.js';
import { Retry } from './retry.js';

/** The controller sends a comment every 15 s: after more than two of them are missing, the connection is dead. */
const MAX_SILENCE_MS = 40_000;
const MAX_PAUSE_MS = 2_000;

interface OrderStreamOptions {
  readonly http: ControllerHttp;
  readonly membership: Membership;
  readonly onOrder: (order: Order) => void;
  readonly warn: (text: string) => void;
}

/**
 * Receives orders as long as the worker lives, over as many connections as that takes. Each order comes at least once;
 * orders carry ids, so repeats do no harm.
 */
export class OrderStream {
  private lastEventId = '';

  constructor(private readonly options: OrderStreamOptions) {}

  /** The worker has registered again: the event ids so far may be those of another controller. */
  reset(): void {
    this.lastEventId = '';
  }

  /** Runs until aborted. @throws RegistrationRefused */
  async run(signal: AbortSignal): Promise<void> {
    const retry = new Retry(MAX_PAUSE_MS);
    while (!signal.aborted) {
      try {
        await this.connect(signal, () => retry.succeeded());
      } catch (error) {
        if (error instanceof RegistrationRefused) throw error;
        // Any other error ends only this connection. The lease limits how long the controller may be away.
      }
      await retry.wait(signal);
    }
  }

  /** Opens one connection and reads it to its end. */
  private async connect(signal: AbortSignal, onConnected: () => void): Promise<void> {
    const { http, membership } = this.options;
    const identity = membership.identity ?? (await membership.register(signal));
    const cut = new AbortController();
    const silence = setTimeout(() => cut.abort(new Error('the stream of orders fell silent')), MAX_SILENCE_MS);
    try {
      const { statusCode, body } = await http.stream(
        `/workers/${identity.workerId}/assignments`,
        this.lastEventId === '' ? {} : { 'last-event-id': this.lastEventId },
        identity.token,
        AbortSignal.any([signal, cut.signal]),
      );
      if (statusCode !== 200) {
        void body.dump().catch(() => undefined);
        if (statusCode === 404 || statusCode === 401) await membership.register(signal);
        return;
      }
      onConnected();
      membership.noteAnswer();
      const parser = createParser({ onEvent: (event) => this.receive(event) });
      body.setEncoding('utf8');
      for await (const text of body) {
        silence.refresh();
        membership.noteAnswer();
        parser.feed(String(text));
      }
    } finally {
      clearTimeout(silence);
    }
  }

  private receive({ id, data }: EventSourceMessage): void {
    if (id !== undefined && id !== '') this.lastEventId = id;
    try {
      this.options.onOrder(parseOrder(data));
    } catch (error) {
      this.options.warn(error instanceof Error ? error.message : String(error));
    }
  }
}
