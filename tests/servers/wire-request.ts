/** A request as its bytes came in, and what is wrong with it. */
export interface WireRequest {
  readonly verb: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly session: string | undefined;
  /** Length of head and body. */
  readonly bytes: number;
  readonly atMs: number;
  /**
   * json: the body is no JSON; framing: its end cannot be told; too-long: announced longer than the server takes, and
   * not read.
   */
  readonly spoilt: 'json' | 'framing' | 'too-long' | undefined;
  readonly message: { readonly id?: number; readonly method?: string; readonly params?: { readonly name?: string } };
  isPreflight: boolean;
}

/** The next request of these bytes, if it is whole (or will never be). */
export function cutRequest(
  bytes: Buffer,
  mostBodyBytes: number,
): { readonly request: WireRequest; readonly length: number } | undefined {
  const blank = bytes.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const [line = '', ...rest] = bytes.toString('latin1', 0, blank).split('\r\n');
  const headers = Object.fromEntries(
    rest.map((header) => [
      header.slice(0, header.indexOf(':')).toLowerCase(),
      header.slice(header.indexOf(':') + 1).trim(),
    ]),
  );
  const made = (bodyLength: number, spoilt: WireRequest['spoilt'], message: WireRequest['message'] = {}) => ({
    length: blank + 4 + bodyLength,
    request: {
      verb: line.split(' ')[0] ?? '',
      headers,
      session: headers['mcp-session-id'],
      bytes: blank + 4 + bodyLength,
      atMs: performance.now(),
      spoilt,
      message,
      isPreflight: false,
    },
  });
  if (headers['transfer-encoding'] !== undefined) {
    // No proper client of ours sends chunks; one whose size is no number can only be refused.
    const size = /^([^\r\n]*)\r\n/.exec(bytes.toString('latin1', blank + 4))?.[1];
    return size === undefined ? undefined : made(0, /^[0-9a-f]+$/i.test(size) ? undefined : 'framing');
  }
  const length = Number(headers['content-length'] ?? 0);
  if (length > mostBodyBytes) return made(0, 'too-long');
  if (bytes.length < blank + 4 + length) return undefined;
  const body = bytes.toString('utf8', blank + 4, blank + 4 + length);
  try {
    return made(length, undefined, body === '' ? {} : (JSON.parse(body) as WireRequest['message']));
  } catch {
    // Broken on purpose: the test counts them.
    return made(length, 'json');
  }
}
