// An MCP server over stdio (session era) that is odd in one way, chosen by MODE.
//
//   node odd-stdio.mjs MODE [ARGUMENT...]
//
// What it was given and got is appended as JSON lines to the file named by $TRUTH, if set.
import fs from 'node:fs';
import readline from 'node:readline';

const [mode = 'plain', ...rest] = process.argv.slice(2);
const { TRUTH, TOK, FROM_FILE } = process.env;

const eol = mode === 'crlf' ? '\r\n' : '\n';
let initialized = false;
let written = 0;
let calls = 0;

function note(entry) {
  if (TRUTH) fs.appendFileSync(TRUTH, `${JSON.stringify({ pid: process.pid, ...entry })}\n`);
}

note({ started: mode, arguments: rest, cwd: process.cwd(), TOK, FROM_FILE });

// cwd: needs a file of its working directory, as servers with a data folder do.
if (mode === 'cwd' && !fs.existsSync('data.json')) {
  console.error(`data.json not found in ${process.cwd()}`);
  process.exit(3);
}
// logs: says that it is up on standard output, and later logs each call there. banner: only the first.
if (mode === 'logs' || mode === 'banner')
  process.stdout.write('Odd MCP Server v1.0 started over stdio\n\u2705 ready\n');

function send(message) {
  const mark = mode === 'bom' && written === 0 ? '\ufeff' : '';
  written++;
  process.stdout.write(mark + JSON.stringify({ jsonrpc: '2.0', ...message }) + eol);
}

function refuseEarly(message) {
  // exits: as servers do that take nothing but `initialize` for a first message.
  if (mode === 'exits') {
    console.error(`Error: ExpectedInitializeRequest(Some(${message.method}))`);
    process.exit(1);
  }
  if (mode !== 'invalid') return false;
  send({ id: message.id, error: { code: -32602, message: 'Received request before initialization was complete' } });
  return true;
}

function onMessage(message) {
  note({ got: message.method ?? '(reply)', arguments: message.params?.arguments });
  if (!initialized && message.method !== 'initialize' && message.method !== 'ping' && refuseEarly(message)) return;
  if (message.id === undefined) return;
  const { id } = message;
  switch (message.method) {
    case 'initialize': {
      initialized = true;
      const asked = message.params.protocolVersion;
      const protocolVersion = asked > '2025-06-18' ? '2025-06-18' : asked;
      send({
        id,
        result: {
          protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: `odd-stdio-${mode}`, version: '1' },
        },
      });
      break;
    }
    case 'tools/list':
      send({
        id,
        result: {
          tools: [{ name: 'echo', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } }],
        },
      });
      break;
    case 'tools/call':
      calls++;
      if (mode === 'logs') process.stdout.write('[INFO] Processing request of type CallToolRequest\n');
      send({ id, result: { content: [{ type: 'text', text: 'ok' }] } });
      break;
    case 'ping':
      send({ id, result: {} });
      break;
    default:
      send({ id, error: { code: -32601, message: 'Method not found' } });
  }
}

function start() {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.trim() !== '') onMessage(JSON.parse(line));
  });
  lines.on('close', () => {
    note({ ended: mode, calls });
    process.exit(0);
  });
}

// slow SECONDS: reads nothing for so long, as a package that is downloaded first.
setTimeout(start, mode === 'slow' ? Number(rest[0]) * 1000 : 0);
