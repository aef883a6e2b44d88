/** HTTP headers that users add, and `${VAR}` in them. */

export type Environment = Readonly<Record<string, string | undefined>>;

export type HeaderProblem = {
  readonly code: 'INVALID_VALUE' | 'UNSET_VARIABLE';
  readonly message: string;
  readonly hint?: string;
};

type Expanded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: HeaderProblem };

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

/** Replaces `${VAR}` and `${VAR:-default}`, as in the configuration files of MCP clients. */
export function expandVariables(text: string, env: Environment): Expanded {
  const unset: string[] = [];
  const expanded = text.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
    const value = env[name] ?? fallback;
    if (value === undefined) unset.push(name);
    return value ?? '';
  });
  if (unset.length === 0) return { ok: true, text: expanded };
  const names = unset.join(', ');
  return {
    ok: false,
    problem: {
      code: 'UNSET_VARIABLE',
      message: `the environment variable ${names} is not set`,
      hint: `export ${unset[0] ?? ''}=...`,
    },
  };
}

/** Splits `Name: value`, as written on the command line. */
export function splitHeader(written: string): readonly [name: string, value: string] | undefined {
  const colon = written.indexOf(':');
  return colon < 1 ? undefined : [written.slice(0, colon).trim(), written.slice(colon + 1).trim()];
}
