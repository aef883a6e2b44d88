// A Streamable HTTP server (session era) that is like a gateway with several clients on one upstream: of two calls that
// wait at the same time in different sessions, it may give each the answer of the other.
//
//   node mixing-gateway.mjs MODE
//
//   by-id   matches answers by their JSON-RPC id alone: mixes them up where two sessions use the same id
//   sends   sends each the other's answer, with the other's id
//   renames sends each the other's answer under its own id, as a gateway does that translates ids
//
// Prints {"port"} when it listens. GET /__truth: the calls, and how many of them got another's answer. Loopback only;
// ends by itself after LIFE_MS (default 120 s).
import { randomUUID } from 'node:crypto';
import http from 'node:http';

const [mode = 'by-id'] = process.argv.slice(2);
setTimeout(() => process.exit(0), Number(process.env.LIFE_MS ?? 120_000)).unref();

/** A call waits so long for one of another session. */
const HOLD_MS = 40;
const truth = { calls: 0, mixedUp: 0 };
let waiting;

const whoami = {
  name: 'whoami',
  inputSchema: { type: 'object', properties: { me: { type: 'number' } }, required: ['me'] },
};

function send(res, answer, headers = {}) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...answer });
  res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
}

function onCall(res, session, { id, params }) {
  truth.calls++;
  const mine = {
    res,
    session,
    id,
    result: { content: [{ type: 'text', text: `you are client ${params.arguments.me}` }] },
  };
  if (waiting === undefined || waiting.session === session) {
    if (waiting !== undefined) return send(res, { id, result: mine.result });
    waiting = mine;
    setTimeout(() => {
      if (waiting !== mine) return;
      waiting = undefined;
      send(res, { id, result: mine.result });
    }, HOLD_MS);
    return;
  }
  const other = waiting;
  waiting = undefined;
  const isMixedUp = mode !== 'by-id' || other.id === id;
  if (isMixedUp) truth.mixedUp += 2;
  for (const [to, from] of isMixedUp
    ? [
        [mine, other],
        [other, mine],
      ]
    : [
        [mine, mine],
        [other, other],
      ])
    send(to.res, { id: mode === 'renames' ? to.id : from.id, result: from.result });
}

const server = http.createServer(async (req, res) => {
  if (req.url === '/__truth') return res.end(JSON.stringify(truth));
  if (req.method !== 'POST') return res.writeHead(req.method === 'DELETE' ? 200 : 405).end();
  let body = '';
  for await (const part of req.setEncoding('utf8')) body += part;
  const message = JSON.parse(body);
  const { id } = message;
  if (id === undefined) return res.writeHead(202).end();
  switch (message.method) {
    case 'server/discover':
      return res.writeHead(400).end();
    case 'initialize': {
      const result = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'mixing-gateway', version: '1' },
      };
      return send(res, { id, result }, { 'mcp-session-id': randomUUID() });
    }
    case 'tools/list':
      return send(res, { id, result: { tools: [whoami] } });
    case 'tools/call':
      return onCall(res, req.headers['mcp-session-id'], message);
    default:
      return send(res, { id, result: {} });
  }
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
