import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, run, type ScenarioFile, simpleScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

/** Records every call, with its process and its LABEL. It reads nothing for the first SLOW_MS. */
const PROGRAM = `
const fs = require('node:fs');
function note(what) {
  fs.appendFileSync(process.env.NOTES, [process.pid, process.env.LABEL, what].join(' ') + '\\n');
}
function send(message) {
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
}
note('started');
const serverInfo = { name: 'noting', version: '1' };
const answers = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo },
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: 'fine' }] },
};
function onLine(line) {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const result = answers[method];
  if (result === undefined) return send({ id, error: { code: -32601, message: 'Method not found' } });
  if (method === 'tools/call') note('called');
  send({ id, result });
}
function read() {
  require('node:readline').createInterface({ input: process.stdin }).on('line', onLine);
}
setTimeout(read, Number(process.env.SLOW_MS ?? 0));`;

interface StartedServer {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  notes(): readonly { readonly pid: number; readonly label: string; readonly what: string }[];
}

export function notingServer(label: string): StartedServer {
  const folder = tempFolder();
  const [program, notes] = [join(folder, 'server.cjs'), join(folder, 'notes')];
  writeFileSync(program, PROGRAM);
  writeFileSync(notes, '');
  return {
    command: [process.execPath, program],
    env: { NOTES: notes, LABEL: label },
    notes: () =>
      readFileSync(notes, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [pid, noted = '', what = ''] = line.split(' ');
          return { pid: Number(pid), label: noted, what };
        }),
  };
}

interface StartedEvidence extends Finished {
  /** Calls that the servers saw, but for the preflight's. */
  readonly calls: number;
  readonly processes: number;
  readonly pids: readonly number[];
  readonly labels: readonly string[];
}

/** Two clients, each with a server of its own, for a second. */
export async function runOfStarted(more: ScenarioFile = {}): Promise<StartedEvidence> {
  const server = notingServer('from-the-scenario');
  const scenario = simpleScenario(
    { clients: 2, arrivals: { rate: '20/s' }, timeout: '30s', transport: 'stdio', ...more },
    2,
    { target: { server: { command: server.command, env: server.env } }, drain: '30s' },
  );
  const finished = await run({ scenario });
  const notes = server.notes();
  const pids = [...new Set(notes.map(({ pid }) => pid))];
  const called = notes.filter(({ what, pid }) => what === 'called' && pid !== pids[0]).length;
  return {
    ...finished,
    calls: called,
    processes: pids.length,
    pids,
    labels: [...new Set(notes.map(({ label }) => label))],
  };
}
