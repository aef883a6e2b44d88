import { posix } from 'node:path';
import type { SourceFile } from './source-files.js';

/** Which rooms a room may import from, beside itself; the first room whose prefix fits a path is its room. */
interface Room {
  readonly prefix: string;
  readonly mayImport: readonly string[];
}

const contracts = ['scenarios/', 'client-sim/protocol/'];
const port = 'harness/platform/platform.';
const support = 'harness/support/';
const procStat = 'harness/platform/proc-stat.';

/** From the ground up: a room stands on rooms above it in this list. */
const rooms: readonly Room[] = [
  { prefix: 'scenarios/yaml/', mayImport: [] },
  { prefix: 'scenarios/', mayImport: [] },
  { prefix: 'client-sim/protocol/', mayImport: ['scenarios/'] },
  { prefix: 'client-sim/measure/', mayImport: ['scenarios/', 'client-sim/protocol/'] },
  { prefix: 'client-sim/mcp/', mayImport: ['scenarios/', 'client-sim/protocol/', 'client-sim/measure/'] },
  { prefix: 'client-sim/load/', mayImport: ['scenarios/', 'client-sim/protocol/', 'client-sim/mcp/'] },
  {
    prefix: 'client-sim/transport/',
    mayImport: ['scenarios/', 'client-sim/protocol/', 'client-sim/measure/', 'client-sim/mcp/', 'client-sim/load/'],
  },
  {
    prefix: 'client-sim/misbehave/',
    mayImport: [
      'scenarios/',
      'client-sim/protocol/',
      'client-sim/measure/',
      'client-sim/mcp/',
      'client-sim/load/',
      'client-sim/transport/',
    ],
  },
  {
    prefix: 'client-sim/transports.',
    mayImport: ['scenarios/', 'client-sim/protocol/', 'client-sim/transport/', 'client-sim/misbehave/'],
  },
  {
    prefix: 'client-sim/preflight/',
    mayImport: [
      'scenarios/',
      'client-sim/protocol/',
      'client-sim/measure/',
      'client-sim/mcp/',
      'client-sim/load/',
      'client-sim/transport/',
      'client-sim/transports.',
    ],
  },
  {
    prefix: 'client-sim/engine/',
    mayImport: [
      'scenarios/',
      'client-sim/protocol/',
      'client-sim/measure/',
      'client-sim/mcp/',
      'client-sim/load/',
      'client-sim/transport/',
      'client-sim/misbehave/',
    ],
  },
  {
    prefix: 'client-sim/threads/',
    mayImport: [
      'scenarios/',
      'client-sim/protocol/',
      'client-sim/measure/',
      'client-sim/mcp/',
      'client-sim/load/',
      'client-sim/transport/',
      'client-sim/transports.',
      'client-sim/engine/',
    ],
  },
  { prefix: 'client-sim/', mayImport: ['scenarios/'] },
  { prefix: 'swarm/reference-server/', mayImport: [] },
  { prefix: 'swarm/gateway/', mayImport: [] },
  {
    prefix: 'monitoring/',
    mayImport: [
      'client-sim/measure/metric-names.',
      'swarm/reference-server/observe/',
      'harness/observe/',
      'harness/agent/',
    ],
  },
  { prefix: support, mayImport: [] },
  { prefix: 'harness/agent/', mayImport: [support] },
  { prefix: port, mayImport: contracts },
  { prefix: procStat, mayImport: [] },
  { prefix: 'harness/platform/local/', mayImport: [...contracts, port, support, procStat] },
  {
    prefix: 'harness/platform/swarm/',
    mayImport: [...contracts, port, support, 'swarm/gateway/', 'harness/agent/fault-orders.'],
  },
  { prefix: 'harness/log/', mayImport: [...contracts, port, support] },
  ...analysisRooms(['facts', 'merge', 'statistics', 'judge', 'capacity']),
  { prefix: 'harness/analysis/', mayImport: [...contracts, port, support, 'harness/log/'] },
  { prefix: 'harness/report/', mayImport: [...contracts, port, support, 'harness/log/', 'harness/analysis/'] },
  {
    prefix: 'harness/compare/',
    mayImport: [...contracts, port, support, 'harness/log/', 'harness/analysis/', 'harness/report/'],
  },
  {
    prefix: 'harness/overview/',
    mayImport: [...contracts, support, 'harness/log/', 'harness/analysis/', 'harness/report/'],
  },
  {
    prefix: 'harness/controller/',
    mayImport: [...contracts, port, support, procStat, 'harness/log/', 'harness/analysis/'],
  },
  { prefix: 'harness/observe/', mayImport: [...contracts, support, 'harness/log/'] },
  {
    prefix: 'harness/api/',
    mayImport: [
      ...contracts,
      port,
      support,
      'harness/log/',
      'harness/analysis/',
      'harness/controller/',
      'harness/observe/',
      'harness/report/',
    ],
  },
  { prefix: 'harness/cli/', mayImport: [...contracts, 'harness/', 'swarm/gateway/'] },
  { prefix: 'tests/', mayImport: ['scenarios/', 'client-sim/', 'harness/', 'swarm/', 'monitoring/'] },
];

/** The rooms of analysis, from the ground up, on the formats and orders that all of them use. */
function analysisRooms(names: readonly string[]): readonly Room[] {
  const ground = [...contracts, port, 'harness/log/', 'harness/analysis/format.', 'harness/analysis/order.'];
  return names.map((name, at) => ({
    prefix: `harness/analysis/${name}/`,
    mayImport: [...ground, ...names.slice(0, at).map((below) => `harness/analysis/${below}/`)],
  }));
}

/** The only files that touch the process: arguments, environment, streams, signals, exit. */
const processFiles: ReadonlySet<string> = new Set([
  'harness/cli/host.ts',
  'harness/platform/local/faults/helper-main.ts',
  'client-sim/main.ts',
  'swarm/reference-server/entry.ts',
]);
const processUse = /\bprocess\.(env|argv|stdout|stderr|stdin|exit|exitCode|on|once|off|kill|abort|chdir|umask)\b/;

/** Every wrong import and every wrong use of the process, in words; empty when the walls hold. */
export function breaches(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => [...importBreaches(file), ...processBreaches(file)]);
}

function importBreaches({ path, text }: SourceFile): readonly string[] {
  const room = rooms.find(({ prefix }) => path.startsWith(prefix));
  if (room === undefined) return [`${path} stands in no room of the architecture`];
  const allowed = [room.prefix, ...room.mayImport, ...(isTest(path) ? realParts(path) : [])];
  return relativeImports(path, text)
    .filter((imported) => !allowed.some((prefix) => imported.startsWith(prefix)))
    .map((imported) => `${path} imports ${imported}, which ${room.prefix}* must not`);
}

function processBreaches({ path, text }: SourceFile): readonly string[] {
  if (processFiles.has(path) || path.startsWith('tests/') || isTest(path)) return [];
  const use = processUse.exec(withoutComments(text));
  return use === null ? [] : [`${path} uses ${use[0]}: only ${[...processFiles].join(', ')} may touch the process`];
}

/** Paths from the package root of everything a file imports by a relative path, types included. */
function relativeImports(path: string, text: string): readonly string[] {
  const specifiers = withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]*)['"]/g);
  return [...specifiers].map(([, specifier]) => posix.join(posix.dirname(path), specifier ?? ''));
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Tests stand beside their code and use real parts: their neighbours, our servers, the shared helpers. */
function realParts(path: string): readonly string[] {
  return [
    path.slice(0, path.indexOf('/') + 1),
    'scenarios/',
    'swarm/reference-server/',
    'tests/support/',
    'tests/servers/',
  ];
}

/** Good enough for imports and uses of the process: strings that look like comments do not matter to either. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
