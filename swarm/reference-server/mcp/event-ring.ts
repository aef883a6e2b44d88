import type { EventStore } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

export interface ReplayObserver {
  /** An event has been sent again. */
  replayed(): void;
  /** An event has been dropped; a client can no longer ask for it. */
  forgotten(): void;
}

interface Kept {
  readonly number: number;
  readonly stream: string;
  readonly message: JSONRPCMessage;
}

/**
 * The newest events of one session, at most `capacity`, so that a broken stream can be resumed (`Last-Event-ID`). A
 * client that was away for longer misses the older ones.
 */
export class EventRing implements EventStore {
  private kept: Kept[] = [];
  /** Start of `kept`; the events before it are forgotten. Moving it costs nothing, shifting the array its length. */
  private first = 0;
  private number = 0;

  constructor(
    private readonly capacity: number,
    private readonly observer: ReplayObserver,
  ) {}

  // Asynchronous only because the SDK awaits it.
  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    this.kept.push({ number: ++this.number, stream, message });
    if (this.kept.length - this.first > this.capacity) {
      this.first += 1;
      this.observer.forgotten();
      if (this.first >= this.capacity) {
        this.kept = this.kept.slice(this.first);
        this.first = 0;
      }
    }
    return `${this.number}@${stream}`;
  }

  async getStreamIdForEventId(id: string): Promise<string | undefined> {
    return split(id)?.stream;
  }

  /** @throws Error for an id that this server did not make */
  async replayEventsAfter(
    id: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const after = split(id);
    if (after === undefined) throw new Error(`event id ${JSON.stringify(id)} is none of this server's`);
    for (const { number, stream, message } of this.kept.slice(this.first)) {
      // The first event of a stream holds nothing but its id.
      if (number <= after.number || stream !== after.stream || !('jsonrpc' in message)) continue;
      await send(`${number}@${stream}`, message);
      this.observer.replayed();
    }
    return after.stream;
  }
}

function split(id: string): { readonly number: number; readonly stream: string } | undefined {
  const [, number, stream] = /^(\d{1,15})@(.{1,200})$/.exec(id) ?? [];
  return number === undefined || stream === undefined ? undefined : { number: Number(number), stream };
}
