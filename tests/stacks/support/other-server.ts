/** An image of a third-party MCP server: another name, port and path than ours, no health check, no metrics. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finish } from '../../../harness/platform/swarm/images/engine-images.js';
import { dockerOfTests } from '../../support/swarm/own-stack.js';

export const OTHER_SERVER = {
  image: 'swarmbench-test/other-server:1',
  port: 8090,
  path: '/rpc',
  name: 'third-party',
} as const;

/** The session era by hand: just enough for a client to list tools and to call one. */
const PROGRAM = `
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
const sessions = new Set();
const serverInfo = { name: '${OTHER_SERVER.name}', version: '7.0.0' };
const results = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo }),
  'tools/list': () => ({ tools: [{ name: 'add', description: 'adds', inputSchema: { type: 'object' } }] }),
  'tools/call': ({ arguments: { a, b } }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
};
const server = createServer(async (request, response) => {
  const say = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  const refuse = (status, id, code, message) => say(status, { jsonrpc: '2.0', id, error: { code, message } });
  if (request.url !== '${OTHER_SERVER.path}') return say(404, { error: 'nothing here' });
  const session = request.headers['mcp-session-id'];
  if (request.method === 'DELETE') return sessions.delete(session) ? say(200, {}) : say(404, {});
  if (request.method !== 'POST') return say(405, {});
  let text = '';
  for await (const chunk of request) text += chunk;
  const { id, method, params } = JSON.parse(text);
  if (method === 'initialize') {
    const opened = randomUUID();
    sessions.add(opened);
    return say(200, { jsonrpc: '2.0', id, result: results.initialize(params) }, { 'mcp-session-id': opened });
  }
  if (!sessions.has(session)) return refuse(session === undefined ? 400 : 404, id ?? null, -32000, 'no such session');
  if (id === undefined) return say(202);
  const answer = results[method];
  if (answer === undefined) return refuse(200, id, -32601, 'no such method');
  say(200, { jsonrpc: '2.0', id, result: answer(params) });
});
server.listen(${OTHER_SERVER.port}, '0.0.0.0');
process.on('SIGTERM', () => process.exit(0));
`;

/** @param node an image that has Node; quick when the engine has built it before */
export async function makeOtherServer(node: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-other-'));
  try {
    writeFileSync(join(folder, 'server.mjs'), PROGRAM);
    writeFileSync(
      join(folder, 'Dockerfile'),
      `FROM ${node}\nCOPY server.mjs /server.mjs\nENTRYPOINT ["node", "/server.mjs"]\nCMD []\n`,
    );
    const docker = dockerOfTests();
    await finish(
      docker,
      await docker.buildImage(
        { context: folder, src: readdirSync(folder) },
        { t: OTHER_SERVER.image, version: '1', rm: true, forcerm: true },
      ),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
