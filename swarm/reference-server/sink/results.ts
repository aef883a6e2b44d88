/** The results of the sink: always the same, so that nothing but the exchange itself costs time. */

/**
 * Listed by `tools/list`, but a call of any other name is answered as well. They are the tools of the reference server,
 * so that its scenarios run here.
 */
const toolNames = ['echo', 'sleep', 'random_latency', 'payload', 'fail', 'cpu', 'progress', 'publish'];

const tools = toolNames.map((name) => ({
  name,
  description: 'Answers at once, whatever is asked.',
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
}));

const text = { type: 'text', text: 'ok' };
const serverInfo = { name: 'swarmbench-sink', version: '1.0.0' };
const capabilities = { tools: {}, resources: {}, prompts: {} };

const results: Readonly<Record<string, object>> = {
  'tools/call': { content: [text] },
  'tools/list': { tools },
  'resources/read': { contents: [{ uri: 'bench://static/1k', mimeType: 'text/plain', text: 'ok' }] },
  'resources/list': { resources: [{ uri: 'bench://static/1k', name: 'static/1k', mimeType: 'text/plain' }] },
  'resources/templates/list': { resourceTemplates: [] },
  'prompts/get': { messages: [{ role: 'user', content: text }] },
  'prompts/list': { prompts: [{ name: 'greeting', arguments: [{ name: 'name', required: false }] }] },
  'server/discover': { supportedVersions: ['2026-07-28'], capabilities },
};

/** Methods whose result says in the stateless era how long it may be cached. */
const cacheable = /\/list$|^resources\/read$|^server\/discover$/;

/** The result of a method as JSON; a method the sink does not know gets an empty one. */
export function resultOf(method: string, modern: boolean): string {
  const result = results[method] ?? {};
  if (!modern) return JSON.stringify(result);
  return JSON.stringify({
    ...result,
    resultType: 'complete',
    ...(cacheable.test(method) && { ttlMs: 0, cacheScope: 'private' }),
    _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
  });
}

const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** The version that the `initialize` request in these bytes asks for. */
export function requestedVersion(bytes: Buffer, start: number, end: number): string | undefined {
  return /"protocolVersion"\s*:\s*"([^"]*)"/.exec(bytes.toString('latin1', start, end))?.[1];
}

/** @param asked the version that the client wants; an unknown one gets the newest of the session era */
export function initializeResult(asked: unknown): string {
  const protocolVersion = versions.find((version) => version === asked) ?? versions[0];
  return JSON.stringify({ protocolVersion, capabilities, serverInfo });
}
