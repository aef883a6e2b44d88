import type { IncomingMessage } from 'node:http';

/** Largest request body taken, as the SDKs have it. */
export const largestBodyBytes = 4 * 1024 * 1024;

export type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'aborted' };

/** Reads and parses the body once; both eras take it parsed. Most bodies arrive in one chunk and are not copied. */
export function readJsonBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > largestBodyBytes) {
        // What still comes is read and dropped, so that the answer can be read by the client.
        rest = first = undefined;
        resolve({ kind: 'too-large' });
      } else if (first === undefined) first = chunk;
      else (rest ??= [first]).push(chunk);
    });
    request.on('end', () => resolve(parse(rest === undefined ? first : Buffer.concat(rest))));
    request.on('error', () => resolve({ kind: 'aborted' }));
  });
}

function parse(bytes: Buffer | undefined): Body {
  if (bytes === undefined) return { kind: 'malformed' };
  try {
    return { kind: 'json', value: JSON.parse(bytes.toString()) };
  } catch {
    return { kind: 'malformed' };
  }
}
