/** Subscribable texts: `bench://topic/{name}`. A topic exists, empty and at version 0, as soon as someone asks for it. */
export class Topics {
  readonly #topics = new Map<string, Topic>();
  readonly #listeners = new Set<(uri: string) => void>();

  /** @returns the version after this publication, from 1 */
  publish(name: string, message: string): number {
    const version = (this.#topics.get(name)?.version ?? 0) + 1;
    this.#topics.set(name, { version, message });
    const uri = topicUri(name);
    for (const listener of this.#listeners) listener(uri);
    return version;
  }

  read(name: string): Topic {
    return this.#topics.get(name) ?? { version: 0, message: '' };
  }

  names(): readonly string[] {
    return [...this.#topics.keys()];
  }

  /** @returns how to stop listening */
  listen(listener: (uri: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface Topic {
  readonly version: number;
  readonly message: string;
}

export function topicUri(name: string): string {
  return `bench://topic/${name}`;
}
