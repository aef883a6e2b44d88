import { stat } from 'node:fs/promises';

const checkEveryMs = 2_000;
const staleAfterMs = 60_000;

/**
 * Watches the file that a controller touches as long as it lives: a program started by a controller that was killed
 * must not outlive it for ever, but long enough for a restarted one to take it over.
 * @param lost called once, when the file is gone or has not been touched for a minute
 * @returns how to stop watching
 */
export function watchLease(file: string, lost: (why: string) => void): () => void {
  const timer = setInterval(() => {
    void stat(file).then(
      ({ mtimeMs }) => {
        if (Date.now() - mtimeMs > staleAfterMs) end(`${file} was not touched for ${staleAfterMs / 1000} s`);
      },
      () => end(`${file} is gone`),
    );
  }, checkEveryMs);
  timer.unref();
  const end = (why: string): void => {
    clearInterval(timer);
    lost(why);
  };
  return () => clearInterval(timer);
}
