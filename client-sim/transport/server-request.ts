/**
 * What a load client says to a server's own request on a stream: it is alive (`ping`), and cannot do anything else
 * (sampling, elicitation, roots; it announced no capabilities).
 */
export function answerServerRequest(request: Record<string, unknown>): string {
  const { id, method } = request;
  if (method === 'ping') return JSON.stringify({ jsonrpc: '2.0', id, result: {} });
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
}
