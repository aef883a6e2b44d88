/**
 * Servers that are odd in one way each, as users have met them: what the preflight says of each, and where it passes,
 * that every call of a session is answered and counted by the server. Preflight and channel are those of a worker; no
 * run is made, so that all of them take seconds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { runPreflight } from '../../client-sim/preflight/preflight.js';
import { commandEndpoint, endpointsFor, urlEndpoints } from '../../client-sim/protocol/endpoints.js';
import type { Endpoint } from '../../client-sim/protocol/messages.js';
import { withSettled } from '../../client-sim/protocol/settled-operation.js';
import { preflightOrder } from '../../harness/controller/run/orders.js';
import { loadPlan, type PlanRequest } from '../../scenarios/schema/load-plan.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { oddServer, startOddServer } from '../servers/odd-server.js';
import { tempFolder } from '../support/temp-folder.js';
import { ChannelProbe } from '../support/transport/channel-probe.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

const CALLS = 24;

interface Scenario {
  readonly operation?: unknown;
  readonly transport?: string;
}

/** A scenario of one client that calls `echo`, or the operation. */
function planOf(
  request: Omit<PlanRequest, 'scenario' | 'env'> & Pick<Partial<PlanRequest>, 'env'>,
  scenario: Scenario = {},
) {
  const { operation = { tool: 'echo', arguments: { text: '{{ text 12 }}' } }, transport } = scenario;
  const file = join(tempFolder(), 'odd.yaml');
  const clients = { profile: 'low-load', clients: 1, timeout: '2s', operations: [operation] };
  writeFileSync(
    file,
    JSON.stringify({
      name: 'odd',
      target: { server: { url: 'http://127.0.0.1:1/mcp' } },
      workload: { clients: { ...clients, ...(transport === undefined ? {} : { transport }) } },
      stages: [{ name: 'steady', duration: '1s' }],
    }),
  );
  return loadPlan({ scenario: file, env: process.env, ...request });
}

function endpointsOf({ target }: Plan): readonly Endpoint[] {
  if (target.kind === 'command') return [commandEndpoint(target)];
  if (target.kind === 'url') return urlEndpoints(target);
  throw new Error(`nothing to connect to: ${target.kind}`);
}

/** What a user is told: `answered` where each call was, else the problem of plan, preflight or call. */
async function outcomeOf(found: ReturnType<typeof planOf>): Promise<string> {
  if (!found.ok) return formatProblems(found.problems);
  const { plan } = found;
  const endpoints = endpointsOf(plan);
  const route = { profiles: [0], era: plan.target.era, endpoints, preflightEndpoints: endpoints };
  const result = await runPreflight(preflightOrder('r', plan, [route]));
  if (!result.ok || result.pinned === undefined) return result.problem ?? 'no problem was named';
  const [profile] = withSettled(plan.profiles, result.settledOperations ?? []);
  const [operation] = profile?.operations ?? [];
  const [endpoint] = endpointsFor(endpoints, profile?.transport ?? 'streamable-http');
  if (profile === undefined || operation === undefined || endpoint === undefined) throw new Error('no client');
  const { url, ...rest } = endpoint;
  const probe = new ChannelProbe(url, { ...rest, transport: profile.transport, pinned: result.pinned });
  await probe.open();
  if (probe.openFailure !== undefined) return `no session: ${probe.openFailure.detail}`;
  for (let call = 0; call < CALLS && probe.closed === undefined; call++) {
    const [outcome] = await probe.call(1, operation);
    if (outcome !== 'correct') return `${outcome}: ${probe.failures.at(-1)?.detail}`;
  }
  await probe.close('delete');
  return 'answered';
}

/** Calls that the server counted. */
async function answeredCalls(port: number): Promise<number> {
  const truth = (await (await fetch(`http://127.0.0.1:${port}/__truth`)).json()) as { answeredCalls: number };
  return truth.answeredCalls;
}

const ANSWERED = [
  ...[
    'plain',
    'closeinit',
    'closecall',
    'close',
    'charset',
    'bom',
    'early',
    'gzip',
    'barelf',
    'noreason',
    'drip',
    'sse',
  ],
  ...['note204', 'note200null', 'discover500', 'discover422', 'discover400', 'discover202', 'discoverclose'],
  ...['oldversion', 'idlast', 'batch', 'pages', 'pagesnull', 'noschema', 'hugelist', 'idle200', 'esc'],
];

describe('over Streamable HTTP', () => {
  test.each(ANSWERED)('%s is answered', async (mode) => {
    const port = await startOddServer('odd-http.mjs', mode);
    const operation = mode === 'noschema' || mode === 'hugelist' ? { tool: 'echo', arguments: 'auto' } : undefined;
    const target = `http://127.0.0.1:${port}/mcp`;
    expect(await outcomeOf(planOf({ targets: [target] }, operation === undefined ? {} : { operation }))).toBe(
      'answered',
    );
    // One in the preflight.
    expect(await answeredCalls(port)).toBe(CALLS + 1);
  });

  test('made-up arguments fit an intricate schema', async () => {
    const port = await startOddServer('odd-http.mjs', 'schema');
    const operation = { tool: 'echo', arguments: 'auto' };
    expect(await outcomeOf(planOf({ targets: [`http://127.0.0.1:${port}/mcp`] }, { operation }))).toBe('answered');
    const truth = await (await fetch(`http://127.0.0.1:${port}/__truth`)).json();
    expect(truth).toMatchObject({ badArguments: 0, answeredCalls: CALLS + 1 });
  });

  test.each([
    ['notype', /an answer of type \(none\), neither application\/json nor text\/event-stream/],
    ['gzipalways', /content-encoding gzip, although none was accepted/],
    ['twolengths', /two content-length headers/],
    ['redirect', /HTTP 307 redirects to http:.*\/mcp\/; redirects are not followed/],
    ['redirectrel', /HTTP 308 redirects to \/mcp\//],
    ['host403', /HTTP 403: Invalid Host: 127\.0\.0\.1:\d+\.(?!.*credentials)/],
    ['host421', /HTTP 421: Invalid Host header/],
    ['auth401', /HTTP 401: token expired 3 days ago.*WWW-Authenticate: Bearer error="invalid_token"/],
    ['html', /an answer of type text\/html/],
    ['weirdversion', /protocol version 2099-01-01, which this client does not know/],
    ['strid', /the answer carries id "\d+", which is text, not \d+/],
    ['pagesloop', /no tool `echo` .*gives the cursor `again` again, so that its pages never end/],
    ['ansi', /echo.*boom/],
    ['idnull', /echo.*(id null|Parse error)/],
    // The eleventh call of a session: a new one is opened after it.
    ['expire400text', /^session_lost: .*HTTP 400.*No valid session ID provided/],
  ])('%s is refused in words that say it', async (mode, words) => {
    const port = await startOddServer('odd-http.mjs', mode);
    expect(await outcomeOf(planOf({ targets: [`http://127.0.0.1:${port}/mcp`] }))).toMatch(words);
  });

  test('discoverhang: a server that never answers what it does not know is asked to initialize', async () => {
    const port = await startOddServer('odd-http.mjs', 'discoverhang');
    expect(await outcomeOf(planOf({ targets: [`http://127.0.0.1:${port}/mcp`] }))).toBe('answered');
  });

  test('results that are no results', async () => {
    for (const [era, tool, words] of [
      ['legacy', 'nocontent', /content/],
      ['modern', 'nocontent', /content/],
      ['legacy', 'strcontent', /content/],
      ['modern', 'strcontent', /content/],
      ['modern', 'task', /task/],
      ['legacy', 'big', /answer_limit: .*a limit of swarmbench: raise it with `limits: \{ answer: 64 MiB \}`/],
    ] as const) {
      const port = await startOddServer('odd-results.mjs', era);
      const operation = { tool, arguments: {} };
      const outcome = await outcomeOf(planOf({ targets: [`http://127.0.0.1:${port}/mcp`] }, { operation }));
      expect([era, tool, outcome]).toEqual([era, tool, expect.stringMatching(words)]);
    }
  });
});

describe('over HTTP+SSE', () => {
  test.each([
    ...['plain', 'absolute', 'norelslash', 'dot', 'json', 'pings', 'p200', 'p204', 'pclose', 'late202'].map(
      (mode) => [mode, /^answered$/] as const,
    ),
    ['crossorigin', /the endpoint event names no address of this server/] as const,
    ['prefixlost', /HTTP 404 to a message.*sent to \/messages, .*outside of \/app/] as const,
  ])('%s', async (mode, words) => {
    const port = await startOddServer('odd-sse.mjs', mode);
    const target = `http://127.0.0.1:${port}/app/sse`;
    const outcome = await outcomeOf(planOf({ targets: [target] }, { transport: 'sse' }));
    expect(outcome).toMatch(words);
    if (outcome === 'answered') expect(await answeredCalls(port)).toBe(CALLS + 1);
  });
});

describe('over stdio, through the file of a client', () => {
  const stdio = (mode: string, more: object = {}): string =>
    JSON.stringify({
      mcpServers: { mine: { command: 'node', args: [oddServer('odd-stdio.mjs'), ...mode.split(' ')], ...more } },
    });
  const data = (): string => {
    const folder = join(tempFolder(), 'data folder');
    mkdirSync(folder);
    writeFileSync(join(folder, 'data.json'), '{}');
    return folder;
  };

  test.each<[string, () => string, RegExp]>([
    ['exits on what it does not know', () => stdio('exits'), /^answered$/],
    ['refuses what comes before initialize', () => stdio('invalid'), /^answered$/],
    ['ends its lines with CR and LF', () => stdio('crlf'), /^answered$/],
    ['begins with a byte order mark', () => stdio('bom'), /^answered$/],
    ['prints a banner', () => stdio('banner'), /^answered$/],
    ['logs on standard output', () => stdio('logs'), /Processing request/],
    ['starts slowly', () => stdio('slow 3'), /^answered$/],
    ['has a working directory', () => stdio('cwd', { cwd: data() }), /^answered$/],
    [
      'dies at its start',
      () => JSON.stringify({ mcpServers: { mine: { command: 'node', args: [oddServer('dies.mjs')] } } }),
      /last words on stderr: Error: Cannot find module "left-pad"/,
    ],
    ['has a variable for a command', () => stdio('plain').replace('"node"', '"${NODE_BIN}"'), /^answered$/],
    ['wants an input', () => stdio('plain', { env: { TOK: '${input:tok}' } }), /the input `tok` has no value/],
  ])('one that %s', async (_what, text, words) => {
    const file = join(tempFolder(), 'mcp.json');
    writeFileSync(file, text());
    const env = { ...process.env, NODE_BIN: process.execPath };
    expect(await outcomeOf(planOf({ mcpConfig: { file }, env }))).toMatch(words);
  });
});

describe('a file of a client', () => {
  const mine = (server: string): string => `{ "mcpServers": { "mine": ${server} } }`;
  const url = '"url": "http://127.0.0.1:PORT/mcp"';

  test.each<[string, string, RegExp]>([
    [
      'with comments and trailing commas',
      `{ // mine\n "mcpServers": { /* no */ "mine": { ${url}, }, }, }`,
      /^answered$/,
    ],
    ['with tabs', `{\n\t"mcpServers": {\n\t\t"mine": { ${url} }\n\t}\n}`, /^answered$/],
    ['with a byte order mark and CRLF', `\ufeff${mine(`{ ${url} }`)}\r\n`, /^answered$/],
    ['of VS Code', `{ "servers": { "mine": { "type": "http", ${url} } }, "inputs": [] }`, /^answered$/],
    ['of Windsurf', mine(`{ ${url.replace('url', 'serverUrl')}, "disabledTools": [] }`), /^answered$/],
    ['with variables', mine('{ "url": "${MCP_URL}", "headers": { "X-Key": "${X_KEY}" } }'), /^answered$/],
    ['with a default', mine('{ "url": "${BASE:-http://127.0.0.1:PORT}/mcp" }'), /^answered$/],
    ['with a variable of VS Code', mine(`{ ${url}, "headers": { "X-Key": "\${env:X_KEY}" } }`), /^answered$/],
    ['with keys that are null', mine(`{ "command": null, "args": null, "env": null, ${url} }`), /^answered$/],
    ['whose first server is a comment', `{ "mcpServers": {\n // "a": {},\n "mine": { ${url} } } }`, /^answered$/],
    ['without servers', '{ "mcpServers": {} }', /`mcpServers` has no servers/],
    ['whose only server is a comment', `{ "mcpServers": {\n // "mine": { ${url} }\n} }`, /`mcpServers` has no servers/],
    ['whose server is disabled', mine(`{ "disabled": true, ${url} }`), /server `mine` is disabled/],
  ])('%s', async (_what, text, words) => {
    const port = await startOddServer('odd-http.mjs', 'plain');
    const file = join(tempFolder(), 'mcp.json');
    writeFileSync(file, text.replaceAll('PORT', String(port)));
    const env = { ...process.env, MCP_URL: `http://127.0.0.1:${port}/mcp`, X_KEY: 'k' };
    expect(await outcomeOf(planOf({ mcpConfig: { file }, env }))).toMatch(words);
    if (text.includes('X-Key')) {
      const { headers } = (await (await fetch(`http://127.0.0.1:${port}/__truth`)).json()) as { headers: object };
      expect(Object.keys(headers)).toContain('x-key: k');
    }
    await until('its calls to be counted', async () => (await answeredCalls(port)) % (CALLS + 1) === 0);
  });
});
