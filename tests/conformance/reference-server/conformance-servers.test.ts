import { describe, expect, test } from '@jest/globals';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import {
  type ReferenceServer,
  type ReferenceServerOptions,
  startReferenceServer,
} from '../../../swarm/reference-server/reference-server.js';
import { onTestEnd } from '../../support/test-end.js';
import { ConformanceServers } from './conformance-servers.js';

type Conformance = Pick<ReferenceServerOptions, 'servers' | 'replayAnswers'>;

async function start(conformance: Conformance): Promise<ReferenceServer & { readonly url: string }> {
  const server = await startReferenceServer({
    host: '127.0.0.1',
    port: 0,
    id: 'r1',
    era: 'both',
    answers: 'sse',
    sessions: 'stateful',
    sessionTtlMs: 60_000,
    maxSessions: 100,
    seed: 1,
    ...conformance,
  });
  onTestEnd(() => server.close(500));
  return { ...server, url: `http://127.0.0.1:${server.port}/mcp` };
}

function conformance(): Conformance {
  return { servers: new ConformanceServers(), replayAnswers: true };
}

async function modernClient(url: string): Promise<ModernClient> {
  const client = new ModernClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: {} } },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
  await client.connect(new ModernTransport(new URL(url)));
  onTestEnd(() => client.close());
  return client;
}

async function legacyClient(url: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)) as Parameters<Client['connect']>[0]);
  onTestEnd(() => client.close());
  return client;
}

test('the plain reference server has none of the fixtures', async () => {
  const { url } = await start({});
  const tools = (await (await legacyClient(url)).listTools()).tools.map(({ name }) => name);
  expect(tools).toContain('echo');
  expect(tools.filter((name) => name.startsWith('test_'))).toEqual([]);
});

describe.each([
  ['session era', legacyClient],
  ['stateless era', modernClient],
] as const)('%s, the official client', (_era, connect) => {
  test('gets content of every kind, errors and completions', async () => {
    const { url } = await start(conformance());
    const client = await connect(url);
    expect(await client.callTool({ name: 'test_multiple_content_types', arguments: {} })).toMatchObject({
      content: [{ type: 'text' }, { type: 'image' }, { type: 'resource' }],
    });
    expect(await client.callTool({ name: 'test_error_handling', arguments: {} })).toMatchObject({ isError: true });
    expect(await client.readResource({ uri: 'test://template/7/data' })).toMatchObject({
      contents: [{ text: expect.stringContaining('Data for ID: 7') }],
    });
    expect(
      await client.complete({
        ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
        argument: { name: 'arg1', value: 'par' },
      }),
    ).toMatchObject({ completion: { values: ['paris', 'park', 'party'] } });
  });

  test('is asked for the input of a tool and sends it back', async () => {
    const { url } = await start(conformance());
    const client = await connect(url);
    expect(await client.callTool({ name: 'test_input_required_result_elicitation', arguments: {} })).toMatchObject({
      content: [{ text: 'Hello, Ada!' }],
    });
  });
});

test('a call whose header differs from its argument is refused', async () => {
  const { url } = await start(conformance());
  const call = async (headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'test_param_header',
        ...headers,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'test_param_header',
          arguments: { region: 'west' },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    });
    return [answer.status, /-32020|region west/.exec(await answer.text())?.[0]];
  };
  expect(await call({})).toEqual([400, '-32020']);
  expect(await call({ 'mcp-param-region': 'east' })).toEqual([400, '-32020']);
  expect(await call({ 'mcp-param-region': 'west' })).toEqual([200, 'region west']);
  expect(await call({ 'mcp-param-region': `=?base64?${Buffer.from('west').toString('base64')}?=` })).toEqual([
    200,
    'region west',
  ]);
});
