import type { EventStore } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

/** Told of every event that is sent again, and of every one that is forgotten before it may be asked for again. */
export interface ReplayObserver {
  replayed(): void;
  forgotten(): void;
}

interface Kept {
  readonly number: number;
  readonly stream: string;
  readonly message: JSONRPCMessage;
}

/**
 * The events of one session, so that a stream that broke off can go on (`Last-Event-ID`): the newest of them, no more
 * than `capacity`. A client that was away for longer than that misses the rest.
 */
export class EventRing implements EventStore {
  private kept: Kept[] = [];
  /** Of `#kept`: what lies before was forgotten. Moving the start costs nothing; shifting an array costs its length. */
  private first = 0;
  private number = 0;

  constructor(
    private readonly capacity: number,
    private readonly observer: ReplayObserver,
  ) {}

  // The SDK awaits what it is given; nothing here takes time.
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

  /** @throws Error for an id that is none of ours */
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
