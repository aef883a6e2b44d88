/** A minimal MCP client of the session era, to see which replica answers. */

interface McpSession {
  readonly id: string;
  /** That opened it. */
  readonly replica: string;
}

const VERSION = '2025-06-18';

/** @param origin of the gateway @throws Error when the answer opens no session */
export async function openSession(origin: string): Promise<McpSession> {
  const response = await post(origin, {}, 'initialize', {
    protocolVersion: VERSION,
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  });
  const id = response.headers.get('mcp-session-id');
  if (!response.ok || id === null) throw new Error(`${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return { id, replica: replicaOf(response) };
}

export async function callSession(
  origin: string,
  { id }: McpSession,
): Promise<{ readonly status: number; readonly replica: string }> {
  const response = await post(origin, { 'mcp-session-id': id, 'mcp-protocol-version': VERSION }, 'tools/call', {
    name: 'echo',
    arguments: { message: 'hello' },
  });
  await response.arrayBuffer();
  return { status: response.status, replica: replicaOf(response) };
}

function post(
  origin: string,
  headers: Readonly<Record<string, string>>,
  method: string,
  params: object,
): Promise<Response> {
  return fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  });
}

function replicaOf({ headers }: Response): string {
  return headers.get('x-swarmbench-replica') ?? '';
}
