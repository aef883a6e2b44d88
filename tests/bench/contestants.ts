import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { packageRoot } from '../support/package-root.js';
import type { Sinks } from './sinks.js';

/** Somebody who sends tool calls as fast as it can over 20 connections. */
export interface Contestant {
  readonly name: string;
  /** What is special about its load. */
  readonly note: string;
  readonly target: Exclude<keyof Sinks, 'close'>;
  command(url: string, seconds: number): readonly string[];
}

const CONNECTIONS = 20;
/** Sessions over stdio: each is a process more on the servers' core. */
const PROCESSES = 4;

const lua = join(packageRoot, 'tests', 'bench', 'unique-ids.lua');

export const contestants: readonly Contestant[] = [
  {
    name: 'wrk',
    note: 'unique ids, answers not read',
    target: 'json',
    command: (url, seconds) => ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', lua, url],
  },
  autocannon('autocannon, static', 'one body for all, answers not read', 'static'),
  autocannon('autocannon, unique ids', 'answers not read', 'unique'),
  sdk('SDK client', 'json', 'http', CONNECTIONS),
  wire('wire, sdk', 'the same client as transport `sdk`', 'json', 'sdk', CONNECTIONS, 1),
  ours('wire', 'the transport alone, 1 in flight', 'json', 'wire-client.js', 1),
  ours('engine', 'the whole engine, 1 in flight', 'json', 'engine-client.js', 1),
  ours('engine, SSE', 'the whole engine, 1 in flight', 'sse', 'engine-client.js', 1),
  ours('wire x16', 'the transport alone, 16 in flight', 'json', 'wire-client.js', 16),
  ours('engine x16', 'the whole engine, 16 in flight', 'json', 'engine-client.js', 16),
  ours('engine x16, SSE', 'the whole engine, 16 in flight', 'sse', 'engine-client.js', 16),
  sdk('SDK client, HTTP+SSE', 'httpSse', 'sse', CONNECTIONS),
  wire('wire, HTTP+SSE', 'the transport alone, 1 in flight', 'httpSse', 'sse', CONNECTIONS, 1),
  sdk('SDK client, stdio', 'stdio', 'stdio', PROCESSES),
  wire('wire, stdio', `the transport alone, ${PROCESSES} processes, 1 in flight`, 'stdio', 'stdio', PROCESSES, 1),
  lines('net, tcp', 'net, readline and JSON, 1 in flight', 1, 'plain'),
  wire('wire, tcp', 'the transport alone, 1 in flight', 'tcp', 'tcp', CONNECTIONS, 1),
  lines('net x16, tcp, corked', 'net, readline and JSON, 16 in flight, one write a turn', 16, 'corked'),
  wire('wire x16, tcp', 'the transport alone, 16 in flight', 'tcp', 'tcp', CONNECTIONS, 16),
  ws('ws', 'the library `ws`, 1 in flight', 1, 'plain'),
  wire('wire, WebSocket', 'the transport alone, 1 in flight', 'websocket', 'websocket', CONNECTIONS, 1),
  ws('ws x16, corked', 'the library `ws`, 16 in flight, one write a turn', 16, 'corked'),
  wire('wire x16, WebSocket', 'the transport alone, 16 in flight', 'websocket', 'websocket', CONNECTIONS, 16),
];

function ws(name: string, note: string, depth: number, how: 'plain' | 'corked'): Contestant {
  return {
    name,
    note: `${note}, unique ids, every answer parsed`,
    target: 'websocket',
    command: (url, seconds) => [
      process.execPath,
      beside('ws-client.js'),
      url,
      String(CONNECTIONS),
      String(depth),
      String(seconds),
      how,
    ],
  };
}

function lines(name: string, note: string, depth: number, how: 'plain' | 'corked'): Contestant {
  return {
    name,
    note: `${note}, unique ids, every answer parsed`,
    target: 'tcp',
    command: (url, seconds) => [
      process.execPath,
      beside('tcp-client.js'),
      url,
      String(CONNECTIONS),
      String(depth),
      String(seconds),
      how,
    ],
  };
}

function sdk(name: string, target: Contestant['target'], how: 'http' | 'sse' | 'stdio', clients: number): Contestant {
  return {
    name,
    note: `@modelcontextprotocol/sdk 1.x, ${clients} clients, every answer parsed`,
    target,
    command: (url, seconds) => [process.execPath, beside('sdk-client.js'), url, String(clients), String(seconds), how],
  };
}

function wire(
  name: string,
  note: string,
  target: Contestant['target'],
  transport: TransportName,
  connections: number,
  pipeline: number,
): Contestant {
  return {
    name,
    note: `${note}, unique ids matched, every answer judged`,
    target,
    command: (url, seconds) => [
      process.execPath,
      beside('wire-client.js'),
      url,
      String(connections),
      String(pipeline),
      String(seconds),
      transport,
    ],
  };
}

function ours(name: string, note: string, target: Contestant['target'], program: string, pipeline: number): Contestant {
  return {
    name,
    note: `${note}, unique ids matched, every answer judged`,
    target,
    command: (url, seconds) => [
      process.execPath,
      beside(program),
      url,
      String(CONNECTIONS),
      String(pipeline),
      String(seconds),
    ],
  };
}

function autocannon(name: string, note: string, ids: 'static' | 'unique'): Contestant {
  return {
    name,
    note,
    target: 'json',
    command: (url, seconds) => [
      process.execPath,
      beside('autocannon-client.js'),
      url,
      String(CONNECTIONS),
      String(seconds),
      ids,
    ],
  };
}

function beside(program: string): string {
  return fileURLToPath(new URL(program, import.meta.url));
}
