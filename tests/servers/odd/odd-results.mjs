// A Streamable HTTP server whose results of tools/call have not the shape that the schema of its era asks for.
//
//   node odd-results.mjs legacy|modern [--port N]        (sessions: 2025-11-25; stateless: 2026-07-28)
//
// Tools: echo is right; nocontent, strcontent and (modern) task are not. `big` answers 50 MB, `name...` has a name of
// 100,000 letters. Prints {"address"} as one line when it listens. GET /__truth: what was called how often.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' } },
});
const modern = positionals[0] === 'modern';
setTimeout(() => process.exit(0), Number(process.env.LIFE_MS ?? 120_000)).unref();

function text(content) {
  return { content: [{ type: 'text', text: content }] };
}

const task = {
  taskId: '1',
  status: 'working',
  ttlMs: 1000,
  createdAt: '2026-01-01T00:00:00Z',
  lastUpdatedAt: '2026-01-01T00:00:00Z',
};
const results = {
  echo: () => text('ok'),
  nocontent: () => ({}), // `content` is required
  strcontent: () => ({ content: 'hello' }), // it is a list
  ...(modern && { task: () => ({ resultType: 'task', task }) }), // nobody asked for a task
  big: () => text('x'.repeat(50e6)),
  [`name${'n'.repeat(100_000)}`]: () => text('long'),
};
const complete = modern ? { resultType: 'complete' } : {};
const cached = modern ? { ...complete, ttlMs: 0, cacheScope: 'private' } : {};
const serverInfo = { name: 'raw', version: '1' };
const truth = {};

function answerTo(message) {
  switch (message.method) {
    case 'server/discover':
      if (!modern) break;
      return {
        result: {
          ...cached,
          supportedVersions: ['2026-07-28'],
          capabilities: { tools: {} },
          serverInfo,
          _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
        },
      };
    case 'initialize':
      return { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } };
    case 'tools/list':
      return {
        result: {
          ...cached,
          tools: Object.keys(results).map((name) => ({ name, inputSchema: { type: 'object', properties: {} } })),
        },
      };
    case 'tools/call': {
      const { name } = message.params;
      truth[name.slice(0, 20)] = (truth[name.slice(0, 20)] ?? 0) + 1;
      return { result: { ...complete, ...results[name]() } };
    }
    default:
  }
  return { error: { code: -32601, message: 'Method not found' } };
}

async function onRequest(req, res) {
  if (req.url === '/__truth') return res.end(JSON.stringify(truth));
  if (req.method !== 'POST') return res.writeHead(req.method === 'DELETE' ? 200 : 405).end();
  let body = '';
  for await (const part of req.setEncoding('utf8')) body += part;
  const message = JSON.parse(body);
  if (message.id === undefined) return res.writeHead(202).end();
  const session = message.method === 'initialize' ? { 'mcp-session-id': randomUUID() } : {};
  const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...answerTo(message) });
  return res.writeHead(200, { 'content-type': 'application/json', ...session }).end(answer);
}

const server = http.createServer((req, res) => void onRequest(req, res));
server.listen(Number(options.port), '127.0.0.1', () => console.log(JSON.stringify({ address: server.address() })));
