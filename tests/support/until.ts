/** Asks again every 20 ms until there is an answer; rejects, naming what was waited for, when there is none in time. */
export async function until<Value>(
  what: string,
  ask: () => Value | undefined | false | Promise<Value | undefined | false>,
  withinMs = 60_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`timed out after ${withinMs} ms, waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
