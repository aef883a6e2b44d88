// An MCP server over HTTP+SSE (2024-11-05) that is odd in one way, chosen by MODE; its stream is at /app/sse. Loopback
// only; ends by itself after LIFE_MS (default 120 s).
//
//   node odd-sse.mjs MODE [--port N]
//
// Prints {"mode", "address"} as one line when it listens. GET /__truth answers what it counted itself.
import http from 'node:http';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' } },
});
const modeName = positionals[0] ?? 'plain';
setTimeout(() => process.exit(0), Number(process.env.LIFE_MS ?? 120_000)).unref();

/** Where the endpoint event leads, how a POST is accepted (and after how long), and whether the stream pings. */
const modes = {
  plain: {},
  absolute: { endpoint: (query, host) => `http://${host}/app/messages?${query}` },
  norelslash: { endpoint: (query) => `messages?${query}` },
  dot: { endpoint: (query) => `./messages?${query}` },
  json: { endpoint: (query) => JSON.stringify(`/app/messages?${query}`) },
  crossorigin: { endpoint: (query) => `http://127.0.0.2:${server.address().port}/messages?${query}` },
  prefixlost: { endpoint: (query) => `/messages?${query}` }, // a gateway put /app before it
  pings: { pings: true },
  p200: { accept: [200, 'ok'] },
  p204: { accept: [204, ''] },
  pclose: { acceptHeaders: { connection: 'close' } },
  late202: { delayMs: 30 },
};
const mode = modes[modeName];
if (mode === undefined) {
  console.error(`no mode ${modeName}; there are: ${Object.keys(modes).join(' ')}`);
  process.exit(2);
}

const truth = { mode: modeName, streams: 0, posts: {}, methods: {}, answeredCalls: 0 };
const streams = new Map(); // session id -> response of its GET

function count(tally, key) {
  tally[key] = (tally[key] ?? 0) + 1;
}

function resultOf(message) {
  switch (message.method) {
    case 'initialize':
      return {
        protocolVersion: '2024-11-05',
        capabilities: { tools: {} },
        serverInfo: { name: 'odd-sse', version: '1' },
      };
    case 'tools/list':
      return { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] };
    case 'tools/call':
      return { content: [] };
    default:
      return undefined;
  }
}

function openStream(req, res) {
  truth.streams++;
  const id = `k ${truth.streams}/ä`;
  streams.set(id, res);
  const query = `sessionId=${encodeURIComponent(id)}&t=1`;
  const endpoint = mode.endpoint?.(query, req.headers.host) ?? `/app/messages?${query}`;
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  res.write(`: hello\r\n\r\nretry: 1000\r\nid: 7\r\nevent: endpoint\r\ndata: ${endpoint}\r\n\r\n`);
  if (!mode.pings) return;
  const timer = setInterval(() => res.write(': ping\r\n\r\nevent: ping\r\ndata: {}\r\n\r\n'), 50);
  res.on('close', () => clearInterval(timer));
}

async function onPost(url, req, res) {
  count(truth.posts, url.pathname);
  if (modeName === 'prefixlost')
    return res.writeHead(404, { 'content-type': 'text/html' }).end('<pre>Cannot POST /messages</pre>');
  let body = '';
  for await (const part of req.setEncoding('utf8')) body += part;
  const message = JSON.parse(body);
  count(truth.methods, message.method ?? '(reply)');
  const stream = streams.get(url.searchParams.get('sessionId'));
  if (stream === undefined) return res.writeHead(404).end('Session not found');
  const result = resultOf(message);
  if (message.method === 'tools/call') truth.answeredCalls++;
  if (message.id !== undefined) {
    const rest = result === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result };
    const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, ...rest });
    stream.write(`id: ${Math.random()}\r\nevent: message\r\ndata: ${answer}\r\n\r\n`);
  }
  const [status, text] = mode.accept ?? [202, 'Accepted'];
  setTimeout(
    () => res.writeHead(status, { 'content-type': 'text/plain', ...mode.acceptHeaders }).end(text),
    mode.delayMs ?? 0,
  );
  return undefined;
}

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname === '/__truth') return res.end(JSON.stringify(truth));
  if (req.method === 'GET' && url.pathname === '/app/sse') return openStream(req, res);
  if (req.method === 'POST') return void onPost(url, req, res);
  return res.writeHead(404).end();
});
server.listen(Number(options.port), '127.0.0.1', () =>
  console.log(JSON.stringify({ mode: modeName, address: server.address() })),
);
