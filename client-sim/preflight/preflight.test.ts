import { afterEach, describe, expect, test } from '@jest/globals';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { McpServer, type McpServerOptions } from '../../tests/support/client-sim/mcp-server.js';
import { testOperation, testPlan, testProfile } from '../../tests/support/client-sim/plans.js';
import { json, legacy, startRawServer } from '../../tests/support/transport/raw-server.js';
import { type PreflightOrder, type PreflightResult, preflightResult } from '../protocol/messages.js';
import { withSettled } from '../protocol/settled-operation.js';
import { runPreflight } from './preflight.js';

const servers: McpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: McpServerOptions): Promise<McpServer> {
  const server = await McpServer.start(options);
  servers.push(server);
  return server;
}

async function preflight(
  urls: readonly string[],
  operations: readonly OperationPlan[],
  overrides: Partial<PreflightOrder> = {},
): Promise<PreflightResult> {
  const result = await runPreflight({
    type: 'preflight',
    protocol: 1,
    runId: 'run-1',
    plan: testPlan({ profiles: [testProfile({ operations })] }),
    endpoints: urls.map((url) => ({ url, headers: {} })),
    era: 'auto',
    ...overrides,
  });
  expect(preflightResult.safeParse(result).error).toBeUndefined();
  return result;
}

const ping: OperationPlan = { name: 'ping', method: 'ping', params: { kind: 'object', entries: [] }, weight: 1 };

test('a list whose cursor never advances is read no further, and the problem says so', async () => {
  let pages = 0;
  const server = await startRawServer(
    legacy(({ message: { id } }, socket) => {
      pages++;
      socket.write(json({ jsonrpc: '2.0', id, result: { tools: [{ name: 'other' }], nextCursor: 'again' } }));
    }),
  );
  const result = await preflight([server.url], [testOperation('echo')], { era: 'legacy' });
  expect(result.problem).toMatch(/no tool `echo` \(its tools: other; its tools\/list gives the cursor `again` again/);
  expect(pages).toBe(2);
});

describe('a target in order', () => {
  test.each(['legacy', 'modern'] as const)(
    '%s: the era is found, the tools are listed, and each operation is tried once',
    async (era) => {
      const server = await serve({ era });
      const result = await preflight([server.url], [testOperation('echo'), testOperation('slow')]);
      expect(result).toMatchObject({ ok: true, tools: ['echo', 'slow'], pinned: { era, sessions: era === 'legacy' } });
      expect(server.calls).toBe(2);
      expect(result.exchanges.every((exchange) => exchange.ok)).toBe(true);
      expect(server.sessions.size).toBe(0);
    },
  );

  test('every endpoint is tried', async () => {
    const [first, second] = [await serve({ era: 'modern' }), await serve({ era: 'modern' })];
    const result = await preflight([first.url, second.url], [testOperation('echo')]);
    expect(result.ok).toBe(true);
    expect([first.calls, second.calls]).toEqual([1, 1]);
    expect(result.exchanges.map(({ step }) => step)).toContain('endpoint 2: tools/call echo');
  });
});

describe('a problem with the target is explained', () => {
  test('nothing listens there', async () => {
    const result = await preflight(['http://127.0.0.1:1/mcp'], [testOperation('echo')]);
    expect(result).toMatchObject({ ok: false });
    expect(result.problem).toMatch(/ECONNREFUSED.*running/s);
  });

  test('its address is not an HTTP URL', async () => {
    expect((await preflight(['ftp://127.0.0.1/mcp'], [testOperation('echo')])).problem).toContain(
      'no endpoint for streamable-http: ftp://127.0.0.1/mcp',
    );
  });

  test('it requires credentials', async () => {
    const server = await serve({ era: 'legacy', token: 'secret' });
    expect((await preflight([server.url], [testOperation('echo')])).problem).toMatch(/401.*--header/s);
    const authorized = await preflight([server.url], [testOperation('echo')], {
      endpoints: [{ url: server.url, headers: { authorization: 'Bearer secret' } }],
    });
    expect(authorized.ok).toBe(true);
    expect(JSON.stringify(authorized)).not.toContain('secret');
  });

  test('the tool has another name', async () => {
    const server = await serve({ era: 'legacy' });
    const { problem } = await preflight([server.url], [testOperation('ecoh')]);
    expect(problem).toContain('no tool `ecoh`; did you mean `echo`? (its tools: echo, slow)');
    expect(server.calls).toBe(0);
  });

  test('ping does not exist in the stateless era', async () => {
    const server = await serve({ era: 'modern' });
    expect((await preflight([server.url], [ping])).problem).toMatch(
      /`ping` does not exist in the stateless era.*era: legacy/s,
    );
    const legacy = await serve({ era: 'legacy' });
    expect((await preflight([legacy.url], [ping])).problem).toContain('rpc_-32601');
  });

  test('a trial call fails: request and answer are shown', async () => {
    const server = await serve({ era: 'legacy', react: () => 'toolError' });
    const { problem } = await preflight([server.url], [testOperation('echo')]);
    expect(problem).toMatch(
      /profile profile, operation echo: .*tool_error.*--- request\nPOST .*--- answer\nHTTP\/1.1 200/s,
    );
  });

  test('its replicas speak different eras', async () => {
    const [first, second] = [await serve({ era: 'legacy' }), await serve({ era: 'modern' })];
    expect((await preflight([first.url, second.url], [testOperation('echo')])).ok).toBe(false);
  });
});

describe('headers made from arguments', () => {
  const tools = {
    echo: { type: 'object', properties: { message: { type: 'string', 'x-mcp-header': 'Message' } } },
    broken: { type: 'object', properties: { message: { type: 'number', 'x-mcp-header': 'Message' } } },
  };
  const call = (name: string): OperationPlan => ({
    ...testOperation(name),
    params: { kind: 'constant', json: JSON.stringify({ name, arguments: { message: ' größe ' } }) },
  });

  test('stateless era: the headers of a tool are sent with its trial call, and settled for the load', async () => {
    const server = await serve({ era: 'modern', tools });
    const result = await preflight([server.url], [call('echo')]);
    expect(result).toMatchObject({
      ok: true,
      settledOperations: [
        { operation: call('echo').name, paramHeaders: [{ name: 'mcp-param-message', path: ['message'] }] },
      ],
    });
    expect(
      server.headers.map((headers) => headers['mcp-param-message']).filter((value) => value !== undefined),
    ).toEqual([`=?base64?${Buffer.from(' größe ').toString('base64')}?=`]);
    const [profile] = withSettled([testProfile({ operations: [call('echo')] })], result.settledOperations ?? []);
    expect(profile?.operations).toEqual([
      { ...call('echo'), paramHeaders: [{ name: 'mcp-param-message', path: ['message'] }] },
    ]);
  });

  test('stateless era: a tool with an invalid declaration is left out and never called', async () => {
    const server = await serve({ era: 'modern', tools });
    const result = await preflight([server.url], [call('echo')]);
    expect(result).toMatchObject({ ok: true, tools: ['echo'] });
    expect(result.exchanges.find(({ step }) => step === 'tools/list')).toMatchObject({
      ok: true,
      problem: expect.stringContaining('tool `broken` is left out: message: x-mcp-header'),
    });
    const refused = await preflight([server.url], [call('broken')]);
    expect(refused).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/tool `broken` must not be used: message: .*not on "number"/),
    });
    expect(server.asked).toEqual(['echo {"message":" größe "}']);
  });

  test('session era: declarations have no effect', async () => {
    const server = await serve({ era: 'legacy', tools });
    const result = await preflight([server.url], [call('echo'), call('broken')]);
    expect(result).toMatchObject({ ok: true, tools: ['echo', 'broken'] });
    expect(result.settledOperations).toBeUndefined();
    expect(server.headers.every((headers) => headers['mcp-param-message'] === undefined)).toBe(true);
  });
});
