/** What the sink needs to know of a request's head. */
export interface Head {
  readonly verb: 'POST' | 'GET' | 'DELETE' | 'other';
  readonly path: string;
  /** Bytes of the body; undefined when it comes without a length, which the sink refuses. */
  readonly contentLength: number | undefined;
  /** 2026-07-28: results carry more members. */
  readonly modern: boolean;
  /** The client wants this connection closed after the answer. */
  readonly close: boolean;
}

const modernVersion = '2026-07-28';

/** @param text from the request line up to the empty line, in latin1; undefined when it is not a request line */
export function parseHead(text: string): Head | undefined {
  const [requestLine, ...lines] = text.split('\r\n');
  const request = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(requestLine ?? '');
  if (request === null) return undefined;
  const [, verb, path] = request;
  let contentLength: number | undefined = verb === 'POST' ? undefined : 0;
  let modern = false;
  let close = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-length':
        if (!/^\d{1,9}$/.test(value)) return undefined;
        contentLength = Number(value);
        break;
      case 'transfer-encoding':
        return { verb: 'other', path: path ?? '/', contentLength: undefined, modern, close: true };
      case 'mcp-protocol-version':
        modern = value === modernVersion;
        break;
      case 'connection':
        close = /\bclose\b/i.test(value);
        break;
    }
  }
  return {
    verb: verb === 'POST' || verb === 'GET' || verb === 'DELETE' ? verb : 'other',
    path: path ?? '/',
    contentLength,
    modern,
    close,
  };
}
