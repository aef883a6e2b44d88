// An MCP server over Streamable HTTP (session era) that is odd in one way, chosen by MODE. It writes its answers to raw
// sockets, so that it can say what no HTTP library would. Loopback only; ends by itself after LIFE_MS (default 120 s).
//
//   node odd-http.mjs MODE [--port N] [--host ADDRESS] [--cert FILE --key FILE]
//
// Prints {"mode", "address"} as one line when it listens. GET /__truth answers what it counted itself.
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});
const modeName = positionals[0] ?? 'plain';
setTimeout(() => process.exit(0), Number(process.env.LIFE_MS ?? 120_000)).unref();

const truth = {
  mode: modeName,
  connections: 0,
  verbs: {},
  methods: {},
  paths: {},
  hosts: {},
  headers: {},
  sessions: 0,
  answeredCalls: 0,
  refused: 0,
  idleClosed: 0,
  clientReplies: {},
  badArguments: 0,
  argumentsSeen: [],
};
const watchedHeaders = ['accept', 'accept-encoding', 'authorization', 'content-type', 'user-agent', 'x-key'];
const sessions = new Map(); // session id -> { id, calls }
const waiting = new Map(); // id of a request of the server -> what to do when the client has answered it
let serial = 0;

function count(tally, key) {
  tally[key] = (tally[key] ?? 0) + 1;
}

function rpcError(code, message, id = null) {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
}

function isCall(message) {
  return message.method === 'tools/call';
}

const jsonType = { 'Content-Type': 'application/json' };
const textType = { 'Content-Type': 'text/plain; charset=utf-8' };
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const OK = 'HTTP/1.1 200 OK';

// ---------------------------------------------------------------- what is odd

// Text that a terminal must never get as it stands: NUL, BEL, a colour, a window title; and what could break XML, HTML,
// CSV and Markdown.
const UNSAFE =
  'boom \u0000\u0007\u001b[31mred\u001b]0;pwned\u0007 ]]> <script>alert(1)</script> |pipe| "q" \'s\' ' +
  '&amp; =cmd|x line1\nline2\r\n\u2028end';

/**
 * Parts of a mode, all optional:
 *   everything(request)     [status, headers, body] for every request, before any of it is looked at
 *   discover                the same for server/discover; 'hang' never answers, 'destroy' closes the socket
 *   notification            the same for a notification
 *   gone(message)           the same for a session that is no more; each session ends after 10 calls
 *   version, serverName     what initialize answers; sessionId(n), sessionHeader: how the session is named
 *   tools(params)           the result of tools/list
 *   call(message)           the result of tools/call, or { error }
 *   envelope(answer)        changes the whole JSON-RPC answer
 *   closes(message)         the answer says `Connection: close`, and the server closes
 *   write(socket, answer, headers, request)   writes the answer in a manner of its own
 *   idleMs                  closes connections on which nothing happened for so long
 */
const modes = {
  plain: {},

  // Connections
  closeinit: { closes: (message) => message.method === 'initialize' },
  closecall: { closes: isCall },
  close: { closes: () => true },
  idle499: { idleMs: 499 },
  idle200: { idleMs: 200 },

  // Heads and bodies
  charset: {
    version: '2025-03-26',
    sessionHeader: 'MCP-SESSION-ID',
    sessionId: (n) => `~!${n}/a+b==&?#%20{}|"`,
    notification: ['202 Accepted', textType, 'Accepted'],
    deleted: ['405 Method Not Allowed', jsonType, rpcError(-32000, 'Method not allowed.')],
    write: (socket, answer, headers) => {
      const kept = { 'Keep-Alive': 'timeout=5, max=1000', Connection: 'Keep-Alive' };
      const oddHeaders = { ...headers, ...kept, 'Content-Type': 'Application/JSON;charset="utf-8"' };
      send(socket, '200 OK', oddHeaders, ` \r\n${JSON.stringify(answer, null, 2)}\n\n`);
    },
  },
  bom: {
    write: (socket, answer, headers) =>
      send(socket, '200 OK', headers, Buffer.concat([BOM, Buffer.from(JSON.stringify(answer))])),
  },
  notype: {
    write: (socket, answer, { 'Content-Type': _, ...headers }) =>
      send(socket, '200 OK', headers, JSON.stringify(answer)),
  },
  early: {
    write: (socket, answer, headers) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n');
      send(socket, '200 OK', headers, JSON.stringify(answer));
    },
  },
  gzip: {
    // compresses unless the request says that it wants no coding, as RFC 9110 12.5.3 allows
    write: (socket, answer, headers, request) => {
      const accept = request.headers['accept-encoding'];
      const mayCompress = accept === undefined || /(gzip|\*)(?!\s*;\s*q=0(?![.\d]*[1-9]))/.test(accept);
      if (!mayCompress) return send(socket, '200 OK', headers, JSON.stringify(answer));
      return sendGzip(socket, { ...headers, Vary: 'Accept-Encoding' }, answer);
    },
  },
  gzipalways: { write: (socket, answer, headers) => sendGzip(socket, headers, answer) },
  twolengths: {
    write: (socket, answer, headers) => socket.write(asBytes(OK, headers, JSON.stringify(answer), { lengths: 2 })),
  },
  barelf: {
    write: (socket, answer, headers) => socket.write(asBytes(OK, headers, JSON.stringify(answer), { eol: '\n' })),
  },
  noreason: {
    write: (socket, answer, headers) => socket.write(asBytes('HTTP/1.1 200', headers, JSON.stringify(answer))),
  },
  drip: {
    write: (socket, answer, headers) => {
      const bytes = asBytes(OK, headers, JSON.stringify(answer));
      const step = (from) => {
        if (from >= bytes.length || socket.destroyed) return;
        socket.write(bytes.subarray(from, from + 11));
        setImmediate(step, from + 11);
      };
      step(0);
    },
  },
  sse: { write: (socket, answer, headers, { message }) => void answerOnStream(socket, answer, headers, message) },
  note204: { notification: ['204 No Content', {}, undefined] },
  note200null: { notification: ['200 OK', jsonType, 'null'] },

  // Refusals
  redirect: {
    everything: ({ path, headers }) =>
      path === '/mcp' && ['307 Temporary Redirect', { Location: `http://${headers.host}/mcp/` }, ''],
  },
  redirectrel: { everything: ({ path }) => path === '/mcp' && ['308 Permanent Redirect', { Location: '/mcp/' }, ''] },
  host421: { everything: () => ['421 Misdirected Request', textType, 'Invalid Host header'] },
  host403: {
    everything: ({ headers }) => ['403 Forbidden', jsonType, rpcError(-32000, `Invalid Host: ${headers.host}`)],
  },
  auth401: {
    everything: () => [
      '401 Unauthorized',
      { ...jsonType, 'WWW-Authenticate': 'Bearer error="invalid_token"' },
      JSON.stringify({ error: 'invalid_token', error_description: 'token expired 3 days ago' }),
    ],
  },
  html: {
    everything: () => ['200 OK', { 'Content-Type': 'text/html; charset=utf-8' }, '<!doctype html><p>Sign in</p>'],
  },

  // server/discover of the stateless era, put to a server of the session era
  discover500: {
    discover: ['500 Internal Server Error', jsonType, rpcError(-32603, 'No transport found for session')],
  },
  discover422: { discover: ['422 Unprocessable Entity', textType, 'Unexpected message, expect initialize request'] },
  discover400: {
    discover: ['400 Bad Request', jsonType, rpcError(-32000, 'Bad Request: Unsupported protocol version: 2026-07-28')],
  },
  discover202: { discover: ['202 Accepted', {}, ''] },
  discoverhang: { discover: 'hang' },
  discoverclose: { discover: 'destroy' },

  // Sessions that are no more
  expire400text: { gone: () => ['400 Bad Request', textType, 'Bad Request: No valid session ID provided'] },

  // JSON-RPC
  oldversion: { version: '2024-11-05' },
  weirdversion: { version: '2099-01-01' },
  strid: { envelope: (answer) => ({ ...answer, id: String(answer.id) }) },
  idlast: { envelope: ({ jsonrpc, id, ...rest }) => ({ ...rest, id, jsonrpc }) },
  idnull: { envelope: (answer, message) => (isCall(message) ? JSON.parse(rpcError(-32700, 'Parse error')) : answer) },
  batch: { envelope: (answer) => [answer] },

  // Tools
  noschema: { tools: () => ({ tools: [{ name: 'echo' }, { name: 'bare', description: 'no schema at all' }] }) },
  schema: {
    tools: () => ({ tools: [{ name: 'echo', inputSchema: intricateSchema }] }),
    call: (message) => {
      checkArguments(message.params?.arguments);
      return said('ok');
    },
  },
  pages: {
    tools: ({ cursor = '0' }) => ({
      tools: cursor === '4' ? [tool('echo')] : Array.from({ length: 5 }, (_, i) => tool(`t${cursor}-${i}`)),
      ...(cursor === '4' ? {} : { nextCursor: String(Number(cursor) + 1) }),
    }),
  },
  pagesnull: { tools: () => ({ tools: [tool('echo')], nextCursor: null }) },
  pagesloop: { tools: () => ({ tools: [tool('other')], nextCursor: 'again' }) },
  hugelist: {
    tools: () => ({
      tools: [tool('echo'), ...Array.from({ length: 5000 }, (_, i) => tool(`tool_${i}`, 'd'.repeat(300)))],
    }),
  },

  // Text for terminals and files
  esc: { serverName: 'odd \u001b]0;pwned\u0007\u001b[31mred' },
  ansi: {
    call: () =>
      ++serial % 2 === 0 ? { error: { code: -32000, message: UNSAFE } } : { ...said(UNSAFE), isError: true },
  },
};

const mode = modes[modeName];
if (mode === undefined) {
  console.error(`no mode ${modeName}; there are: ${Object.keys(modes).join(' ')}`);
  process.exit(2);
}

// ---------------------------------------------------------------- tools

function tool(name, description = name) {
  return { name, description, inputSchema: { type: 'object', properties: { text: { type: 'string' } } } };
}

function said(text) {
  return { content: [{ type: 'text', text }] };
}

const intricateSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    Kind: { enum: ['a', 'b'], type: 'string' },
    Point: {
      type: 'object',
      required: ['x', 'y'],
      additionalProperties: false,
      properties: { x: { type: 'number' }, y: { type: 'integer', format: 'uint32', minimum: 0 } },
    },
  },
  properties: {
    kind: { $ref: '#/$defs/Kind' },
    at: { $ref: '#/$defs/Point' },
    maybe: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
    v: { const: 3 },
    when: { type: 'string', format: 'date-time' },
    n: { type: ['integer', 'null'], exclusiveMinimum: 0, maximum: 2 },
    tags: { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 2 },
  },
  required: ['kind', 'at', 'v', 'when', 'n', 'tags', 'maybe'],
  additionalProperties: false,
};

/** Holds made-up arguments against intricateSchema, rule by rule. */
function checkArguments(given) {
  const a = given ?? {};
  const rules = {
    keys: Object.keys(a).sort().join() === 'at,kind,maybe,n,tags,v,when',
    kind: ['a', 'b'].includes(a.kind),
    at: typeof a.at?.x === 'number' && Number.isInteger(a.at?.y) && a.at.y >= 0 && Object.keys(a.at).length === 2,
    maybe: a.maybe === null || typeof a.maybe === 'string',
    v: a.v === 3,
    when: !Number.isNaN(Date.parse(a.when)),
    n: a.n === null || (Number.isInteger(a.n) && a.n > 0 && a.n <= 2),
    tags: Array.isArray(a.tags) && a.tags.length >= 2 && a.tags.every((tag) => typeof tag === 'string' && tag !== ''),
  };
  const broken = Object.keys(rules).filter((rule) => !rules[rule]);
  if (broken.length > 0) truth.badArguments++;
  if (truth.argumentsSeen.length < 3) truth.argumentsSeen.push({ broken, given });
}

// ---------------------------------------------------------------- JSON-RPC

function resultOf(message) {
  switch (message.method) {
    case 'initialize':
      return {
        protocolVersion: mode.version ?? message.params?.protocolVersion ?? '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: mode.serverName ?? `odd-${modeName}`, version: '1' },
      };
    case 'tools/list':
      return mode.tools?.(message.params ?? {}) ?? { tools: [tool('echo')] };
    case 'tools/call':
      return mode.call?.(message) ?? said(`echo ${message.params?.arguments?.text ?? ''}`);
    case 'ping':
      return {};
    default:
      return { error: { code: -32601, message: `Method not found: ${message.method}` } };
  }
}

function answerTo(message) {
  const { error, ...result } = resultOf(message);
  const answer = { jsonrpc: '2.0', id: message.id, ...(error === undefined ? { result } : { error }) };
  return mode.envelope?.(answer, message) ?? answer;
}

// ---------------------------------------------------------------- HTTP

function asBytes(statusLine, headers, body = '', { eol = '\r\n', lengths = 1 } = {}) {
  const bytes = Buffer.from(body);
  const lines = [statusLine, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  for (let i = 0; i < lengths; i++) lines.push(`Content-Length: ${bytes.length}`);
  return Buffer.concat([Buffer.from(lines.join(eol) + eol + eol, 'latin1'), bytes]);
}

/** No Content-Length where there is no body at all. */
function send(socket, status, headers, body) {
  socket.write(asBytes(`HTTP/1.1 ${status}`, headers, body, { lengths: body === undefined ? 0 : 1 }));
}

function sendGzip(socket, headers, answer) {
  send(socket, '200 OK', { ...headers, 'Content-Encoding': 'gzip' }, zlib.gzipSync(JSON.stringify(answer)));
}

/**
 * One answer as an event stream: a byte order mark, comments, CR and LF in different chunks, chunk extensions,
 * trailers; before a tool's answer four requests of the server, each of which must be replied to; the answer
 * pretty-printed over many data lines, cut inside letters.
 */
async function answerOnStream(socket, answer, headers, message) {
  const { 'Content-Type': _, ...others } = headers;
  const streamed = {
    'content-TYPE': 'Text/Event-Stream; charset=UTF-8',
    'Transfer-Encoding': 'chunked',
    Trailer: 'X-Sum',
  };
  socket.write(asBytes(OK, { ...others, ...streamed }, '', { lengths: 0 }));
  const chunk = (data) => {
    const bytes = Buffer.from(data);
    socket.write(
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)};ext="a b"\r\n`), bytes, Buffer.from('\r\n')]),
    );
  };
  const dataLines = (text) =>
    text
      .split('\n')
      .map((line) => `data: ${line}\r\n`)
      .join('');
  chunk(BOM);
  chunk(': ping - 2026-01-01 00:00:00\r\n\r');
  chunk('\nretry: 3000\r\nid: 0\r\ndata:\r\n\r\n');
  if (isCall(message)) {
    const logged = {
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'wörking \u2028 😀' },
    };
    chunk(`event: message\r\nid: 1\r\n${dataLines(JSON.stringify(logged))}\r\n`);
    for (const method of ['ping', 'roots/list', 'sampling/createMessage', 'elicitation/create']) {
      const id = `srv-${method}-${++serial}`;
      chunk(`${dataLines(JSON.stringify({ jsonrpc: '2.0', id, method, params: {} }))}\r\n`);
      await replied(id, method);
    }
  }
  const text = Buffer.from(`event: message\r\nid: 2\r\n${dataLines(JSON.stringify(answer, null, 1))}\r\n`);
  for (let from = 0; from < text.length; from += 7) chunk(text.subarray(from, from + 7));
  chunk(': bye\r\n\r\n');
  socket.write('0\r\nX-Sum: 1\r\n\r\n');
}

function replied(id, method) {
  return new Promise((resolve) => {
    const settle = (what) => {
      waiting.delete(id);
      count(truth.clientReplies, `${method}: ${what}`);
      resolve();
    };
    const timer = setTimeout(() => settle('NO REPLY'), 2000);
    waiting.set(id, (reply) => {
      clearTimeout(timer);
      settle(reply.error === undefined ? 'result' : `error ${reply.error.code}`);
    });
  });
}

function onConnection(socket) {
  truth.connections++;
  let buffer = Buffer.alloc(0);
  let idle;
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('close', () => clearTimeout(idle));
  socket.on('data', (bytes) => {
    clearTimeout(idle);
    buffer = Buffer.concat([buffer, bytes]);
    for (let request = readRequest(); request !== undefined; request = readRequest()) {
      onRequest(socket, request);
      if (mode.idleMs !== undefined) idle = setTimeout(closeIdle, mode.idleMs);
    }
  });

  function closeIdle() {
    truth.idleClosed++;
    socket.end();
  }

  function readRequest() {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [line, ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((text) => {
        const colon = text.indexOf(':');
        return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers['content-length'] ?? 0);
    if (buffer.length < end + 4 + length) return undefined;
    const body = buffer.toString('utf8', end + 4, end + 4 + length);
    buffer = buffer.subarray(end + 4 + length);
    const [verb, path] = line.split(' ');
    return { verb, path, headers, message: verb === 'POST' ? JSON.parse(body) : {} };
  }
}

function onRequest(socket, request) {
  const { verb, path, headers, message } = request;
  if (path === '/__truth') return send(socket, '200 OK', jsonType, JSON.stringify(truth));
  count(truth.verbs, verb);
  count(truth.paths, path);
  count(truth.hosts, headers.host ?? '(none)');
  count(truth.methods, message.method ?? (message.id === undefined ? `(${verb})` : '(reply)'));
  for (const name of watchedHeaders) if (headers[name] !== undefined) count(truth.headers, `${name}: ${headers[name]}`);

  const always = mode.everything?.(request);
  if (always) return send(socket, ...always);
  if (verb === 'GET')
    return send(socket, '405 Method Not Allowed', { Allow: 'POST', 'Content-Type': 'text/html' }, '<h1>nope</h1>');
  if (verb === 'DELETE') {
    sessions.delete(headers['mcp-session-id']);
    return send(socket, ...(mode.deleted ?? ['200 OK', {}, '']));
  }
  if (message.method === undefined) {
    send(socket, '202 Accepted', {}, '');
    return waiting.get(message.id)?.(message);
  }
  if (message.method === 'server/discover' && mode.discover !== undefined) {
    if (mode.discover === 'hang') return undefined;
    return mode.discover === 'destroy' ? socket.destroy() : send(socket, ...mode.discover);
  }
  return inSession(socket, request);
}

function inSession(socket, request) {
  const { message } = request;
  const answerHeaders = { ...jsonType };
  if (message.method === 'initialize') {
    const id = mode.sessionId?.(truth.sessions) ?? `s-${truth.sessions}-${Math.random().toString(36).slice(2)}`;
    truth.sessions++;
    sessions.set(id, { id, calls: 0 });
    answerHeaders[mode.sessionHeader ?? 'mcp-session-id'] = id;
  } else {
    const session = sessions.get(request.headers['mcp-session-id']);
    const tooOld = session !== undefined && isCall(message) && mode.gone !== undefined && ++session.calls > 10;
    if (tooOld) sessions.delete(session.id);
    if (session === undefined || tooOld) {
      truth.refused++;
      return send(
        socket,
        ...(mode.gone?.(message) ?? ['400 Bad Request', jsonType, rpcError(-32000, 'Server not initialized')]),
      );
    }
  }
  if (message.id === undefined) return send(socket, ...(mode.notification ?? ['202 Accepted', {}, '']));
  if (isCall(message)) truth.answeredCalls++;
  const answer = answerTo(message);
  if (mode.write !== undefined) return mode.write(socket, answer, answerHeaders, request);
  if (!mode.closes?.(message)) return send(socket, '200 OK', answerHeaders, JSON.stringify(answer));
  send(socket, '200 OK', { ...answerHeaders, Connection: 'close' }, JSON.stringify(answer));
  return socket.end();
}

const server =
  options.cert === undefined
    ? net.createServer(onConnection)
    : tls.createServer({ cert: fs.readFileSync(options.cert), key: fs.readFileSync(options.key) }, onConnection);
server.listen(Number(options.port), options.host, () =>
  console.log(JSON.stringify({ mode: modeName, address: server.address() })),
);
