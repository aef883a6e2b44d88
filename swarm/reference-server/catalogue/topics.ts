/**
 * Texts that can be subscribed to: `bench://topic/{name}`. Every topic exists: before its first publication it is
 * empty, at version 0.
 */
export class Topics {
  private readonly topics = new Map<string, Topic>();
  private readonly all = new Set<TopicListener>();
  /** By uri, so that a publication costs nothing for sessions that did not subscribe to it. */
  private readonly subscribers = new Map<string, Set<TopicListener>>();
  private _published = 0;

  get published(): number {
    return this._published;
  }

  /**
   * @param stamp goes out with the notification, as the publisher gave it
   * @returns the version after this publication, from 1
   */
  publish(name: string, message: string, stamp?: string): number {
    const version = (this.topics.get(name)?.version ?? 0) + 1;
    this.topics.set(name, { version, message });
    this._published += 1;
    const update = { uri: topicUri(name), version, ...(stamp === undefined ? {} : { stamp }) };
    for (const listener of this.all) listener(update);
    for (const listener of this.subscribers.get(update.uri) ?? []) listener(update);
    return version;
  }

  read(name: string): Topic {
    return this.topics.get(name) ?? { version: 0, message: '' };
  }

  names(): readonly string[] {
    return [...this.topics.keys()];
  }

  /** Calls `listener` for every topic. @returns how to stop */
  listen(listener: TopicListener): () => void {
    this.all.add(listener);
    return () => this.all.delete(listener);
  }

  /** Calls `listener` for one topic. @returns how to stop */
  subscribe(uri: string, listener: TopicListener): () => void {
    const known = this.subscribers.get(uri) ?? new Set();
    this.subscribers.set(uri, known);
    known.add(listener);
    return () => {
      known.delete(listener);
      if (known.size === 0 && this.subscribers.get(uri) === known) this.subscribers.delete(uri);
    };
  }

  reset(): void {
    this._published = 0;
  }
}

type TopicListener = (update: TopicUpdate) => void;

interface TopicUpdate {
  readonly uri: string;
  readonly version: number;
  readonly stamp?: string;
}

/** `params` of `notifications/resources/updated`, in both eras. */
export function updateParams({ uri, version, stamp }: TopicUpdate): {
  readonly uri: string;
  readonly _meta: Record<string, unknown>;
} {
  return {
    uri,
    _meta: { 'swarmbench/version': version, ...(stamp === undefined ? {} : { 'swarmbench/stamp': stamp }) },
  };
}

interface Topic {
  readonly version: number;
  readonly message: string;
}

export function topicUri(name: string): string {
  return `bench://topic/${name}`;
}
