/** Looks at a replica as a client does, each time over a connection of its own. */
import { get } from 'node:http';

/** How long the answer to a GET took, in ms; undefined when none came within the time. */
export function answersIn(url: string, withinMs: number): Promise<number | undefined> {
  return ask(url, withinMs).then((result) => (typeof result === 'number' ? result : undefined));
}

/** Whether the connection of a GET was reset. */
export function isReset(url: string): Promise<boolean> {
  return ask(url, 2_000).then((result) => result === 'ECONNRESET');
}

function ask(url: string, withinMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const since = performance.now();
    const request = get(url, { agent: false, timeout: withinMs }, (response) => {
      response.resume();
      response.once('end', () => end(response.statusCode === 200 ? performance.now() - since : 'not 200'));
      response.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
    });
    const timer = setTimeout(() => end('timeout'), withinMs);
    const end = (result: number | string): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(result);
    };
    request.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
  });
}
