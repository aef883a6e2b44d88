/** Several streams as one: each item as soon as it is there. Leaving early ends them all. */
export async function* merge<Item>(streams: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  const next = (stream: AsyncGenerator<Item>) => stream.next().then((result) => ({ stream, result }));
  const waiting = new Map(streams.map((stream) => [stream, next(stream)]));
  try {
    while (waiting.size > 0) {
      const { stream, result } = await Promise.race(waiting.values());
      if (result.done === true) waiting.delete(stream);
      else {
        waiting.set(stream, next(stream));
        yield result.value;
      }
    }
  } finally {
    for (const [stream, pending] of waiting) {
      pending.catch(() => undefined);
      void stream.return(undefined).catch(() => undefined);
    }
  }
}
