/** HTTP headers that users add. */

export interface HeaderProblem {
  readonly code: 'INVALID_VALUE' | 'UNSET_VARIABLE';
  readonly message: string;
  readonly hint?: string;
}

/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The client sets these itself. A second one would make the request ambiguous. */
const ours: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'accept',
  'accept-encoding',
  'last-event-id',
]);

function isOurs(name: string): boolean {
  const lower = name.toLowerCase();
  return ours.has(lower) || lower.startsWith('mcp-');
}

export function checkHeader(name: string, value: string): HeaderProblem | undefined {
  if (!token.test(name)) return { code: 'INVALID_VALUE', message: `\`${name}\` is not a header name` };
  if (isOurs(name))
    return { code: 'INVALID_VALUE', message: `the client itself sets the header \`${name}\``, hint: 'remove it' };
  // Never the value itself: it may be a secret.
  if (!/^[\t\x20-\x7e]*$/.test(value))
    return {
      code: 'INVALID_VALUE',
      message: `the value of the header \`${name}\` has characters that a header cannot hold`,
    };
  return undefined;
}

/** Splits `Name: value`, as written on the command line. */
export function splitHeader(written: string): readonly [name: string, value: string] | undefined {
  const colon = written.indexOf(':');
  return colon < 1 ? undefined : [written.slice(0, colon).trim(), written.slice(colon + 1).trim()];
}
