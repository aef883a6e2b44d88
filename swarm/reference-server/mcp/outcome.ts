/** Builds the few answers that do not come from the SDKs. */
export function rpcErrorResponse(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** How an exchange ended: what `/stats` and the metrics count it as. */
export type Outcome = 'ok' | 'tool_error' | 'aborted' | `rpc_${number}` | `http_${number}`;

const errorMember = /"error":\{"code":(-?\d+)/;

/**
 * Reads the outcome from the bytes that go out, so that the counts match the answers, whichever layer of the SDK made
 * them. Text that a client chose cannot be mistaken for the markers: inside a JSON string their quotes are escaped.
 */
export function outcomeOf(status: number, text: string): Outcome {
  if (status >= 300) return `http_${status}`;
  if (text.includes('"isError":true')) return 'tool_error';
  const code = text.includes('"error":{') ? errorMember.exec(text)?.[1] : undefined;
  return code === undefined ? 'ok' : `rpc_${Number(code)}`;
}
