import { stat } from 'node:fs/promises';

const LOOK_MS = 2_000;
const STALE_MS = 60_000;

/**
 * Watches the file that a controller touches every second, so that a killed controller leaves nothing behind, but one
 * that is restarted within a minute finds its workers.
 * @param onStale called once, when the file is gone or was not touched for 60 s
 */
export function watchLeaseFile(path: string, onStale: (why: string) => void): { close(): void } {
  const timer = setInterval(() => {
    void look(path).then((why) => {
      if (why === undefined) return;
      clearInterval(timer);
      onStale(why);
    });
  }, LOOK_MS);
  return { close: () => clearInterval(timer) };
}

async function look(path: string): Promise<string | undefined> {
  try {
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    return ageMs > STALE_MS ? `${path} was not touched for ${Math.round(ageMs / 1000)} s` : undefined;
  } catch {
    return `${path} is gone`;
  }
}
