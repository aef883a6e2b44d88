import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { z } from 'zod';
import type { Template } from '../../../scenarios/schema/grammar/template.js';
import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import { onTestEnd } from '../../../tests/support/test-end.js';
import { ChannelProbe, LEGACY, MODERN } from '../../../tests/support/transport/channel-probe.js';
import { compileRequest, renderRequest } from '../../mcp/compile-request.js';
import { FIRST_ID } from '../../protocol/id-ranges.js';
import { RequestHead } from '../request-head.js';

const plans = [
  { name: 'mcp-param-text', path: ['text'] },
  { name: 'mcp-param-count', path: ['count'] },
  { name: 'mcp-param-flag', path: ['flag'] },
  { name: 'mcp-param-inner', path: ['deep', 'inner'] },
];

function operation(args: Readonly<Record<string, Template>>): OperationPlan {
  const params: Template = {
    kind: 'object',
    entries: [
      ['name', { kind: 'constant', json: '"mirror"' }],
      ['arguments', { kind: 'object', entries: Object.entries(args) }],
    ],
  };
  return { name: 'mirror', method: 'tools/call', target: 'mirror', weight: 1, params, paramHeaders: plans };
}

function constant(value: unknown): Template {
  return { kind: 'constant', json: JSON.stringify(value) };
}
const words = [
  'plain',
  '',
  ' padded ',
  'größe 世界',
  'line\nbreak',
  '\ttab',
  '=?base64?eA==?=',
  '"quoted" \\',
  'x'.repeat(400),
];
const drawnCall = operation({
  text: { kind: 'string', parts: [{ name: 'pick', items: words }] },
  unmirrored: { kind: 'string', parts: [{ name: 'uuid' }, ' ', { name: 'text', length: 5 }] },
  count: { kind: 'number', draw: { name: 'int', min: -1_000_000, max: 1_000_000 } },
  flag: constant(true),
  deep: {
    kind: 'object',
    entries: [
      ['before', { kind: 'number', draw: { name: 'now' } }],
      ['inner', { kind: 'string', parts: ['at ', { name: 'now' }, ' ', { name: 'text', length: 3 }] }],
    ],
  },
});

/** Parses the request as it is on the wire. */
function wire(
  one: OperationPlan,
  sequence: number,
  headers: Record<string, string> = {},
  head?: RequestHead,
): { readonly headers: Map<string, string>; readonly body: string } {
  const template = compileRequest(one, 0, MODERN);
  const written = head ?? new RequestHead({ url: 'http://127.0.0.1:1/mcp', headers }, MODERN, undefined, template);
  const bytes = Buffer.alloc(written.maxBytes(template) + 10);
  const end = written.write(bytes, 10, template, FIRST_ID, { seed: 1, slot: 2, sequence });
  const [top = '', body = ''] = bytes.toString('utf8', 10, end).split(/\r\n\r\n(.*)/s);
  const lines = top
    .split('\r\n')
    .slice(1)
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  expect(new Set(lines.map(([name]) => name)).size).toBe(lines.length);
  expect(Number(new Map(lines).get('content-length'))).toBe(Buffer.byteLength(body));
  return { headers: new Map(lines), body };
}

function decoded(value: string | undefined): string | undefined {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value ?? '')?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}

function argumentsOf(body: string): {
  readonly text?: string;
  readonly count?: number;
  readonly flag?: boolean;
  readonly deep?: { readonly inner?: string };
} {
  return (JSON.parse(body) as { readonly params: { readonly arguments: object } }).params.arguments;
}

test('for any draw, the headers mirror the body, in characters that a header may hold', () => {
  const template = compileRequest(drawnCall, 0, MODERN);
  const head = new RequestHead({ url: 'http://127.0.0.1:1/mcp', headers: {} }, MODERN, undefined, template);
  const seen = new Set<string>();
  for (let sequence = 0; sequence < 500; sequence++) {
    const { headers, body } = wire(drawnCall, sequence, {}, head);
    const { text = '', count, flag, deep } = argumentsOf(body);
    seen.add(text);
    expect([
      decoded(headers.get('mcp-param-text')),
      headers.get('mcp-param-count'),
      headers.get('mcp-param-flag'),
    ]).toEqual([text, String(count), String(flag)]);
    // `inner` is drawn by its own template, at another time.
    expect(decoded(headers.get('mcp-param-inner'))?.replace(/\d+/, '')).toBe(deep?.inner?.replace(/\d+/, ''));
    for (const value of headers.values()) expect(value).toMatch(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);
  }
  expect(seen).toEqual(new Set(words));
});

test('a time in a header is the same time in the body', () => {
  const template = compileRequest(drawnCall, 0, MODERN);
  const head = new RequestHead({ url: 'http://127.0.0.1:1/mcp', headers: {} }, MODERN, undefined, template);
  const bytes = Buffer.alloc(head.maxBytes(template));
  const end = head.write(bytes, 0, template, FIRST_ID, { seed: 1, slot: 2, sequence: 3 });
  const [top = '', body = ''] = bytes.toString('utf8', 0, end).split('\r\n\r\n');
  expect(decoded(/mcp-param-inner: (.*)/.exec(top)?.[1])).toBe(argumentsOf(body).deep?.inner);
});

test('of constant arguments, only text, numbers and booleans are mirrored', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (text, inner) => {
      const { headers } = wire(operation({ text: constant(text), deep: constant({ inner }) }), 0);
      for (const [name, value] of [
        ['text', text],
        ['inner', inner],
      ] as const) {
        const mirrored =
          typeof value === 'string' ||
          typeof value === 'boolean' ||
          (typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value)));
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        expect(decoded(headers.get(`mcp-param-${name}`))).toBe(mirrored ? text : undefined);
      }
    }),
  );
});

test("an absent or null argument has no header, and the target's own header replaces ours", () => {
  expect(
    [...wire(operation({ text: constant(null), deep: constant({}) }), 0).headers.keys()].filter((name) =>
      name.startsWith('mcp-param'),
    ),
  ).toEqual([]);
  const { headers } = wire(drawnCall, 0, { 'Mcp-Param-Text': 'mine', 'MCP-PARAM-FLAG': 'mine' });
  expect([headers.get('mcp-param-text'), headers.get('mcp-param-flag')]).toEqual(['mine', 'mine']);
});

test('the session era has none', () => {
  expect(compileRequest(drawnCall, 0, LEGACY).paramHeaders).toBeUndefined();
  expect(renderRequest(compileRequest(drawnCall, 0, LEGACY), FIRST_ID, { seed: 1, slot: 2, sequence: 3 })).toContain(
    '"mirror"',
  );
});

/** The official server, which compares each header with the body and refuses differences. */
async function officialServer(onMethod: (method: string) => void = () => undefined): Promise<string> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'mirror', version: '1' });
      const header = (name: string) => ({ 'x-mcp-header': name });
      server.registerTool(
        'mirror',
        {
          inputSchema: z.object({
            text: z.string().meta(header('Text')),
            count: z.int().meta(header('Count')),
            flag: z.boolean().optional().meta(header('Flag')),
            deep: z
              .object({ inner: z.string().meta(header('Inner')) })
              .loose()
              .optional(),
            unmirrored: z.string().optional(),
          }),
        },
        () => ({ content: [{ type: 'text', text: 'mirrored' }] }),
      );
      return server;
    },
    { legacy: 'reject' },
  );
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    onMethod(String(incoming.headers['mcp-method']));
    const answer = await handler.fetch(
      new Request('http://localhost/mcp', {
        method: 'POST',
        headers: incoming.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      }),
    );
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

describe('the official server', () => {
  test('accepts every call whose headers are made from its arguments', async () => {
    const probe = await new ChannelProbe(await officialServer(), { pinned: MODERN, pipeline: 8 }).open();
    for (let round = 0; round < 25; round++) expect(await probe.call(8, drawnCall)).toEqual(Array(8).fill('correct'));
    expect(
      await probe.call(1, operation({ text: constant('größe'), count: constant(7), flag: constant(null) })),
    ).toEqual([expect.stringMatching(/correct|tool_error/)]);
  });

  test('gets nothing else from the official client: no list request, and no call twice', async () => {
    const asked: string[] = [];
    const probe = await new ChannelProbe(await officialServer((method) => asked.push(method)), {
      transport: 'sdk',
      pinned: MODERN,
      openTimeoutMs: 30_000,
    }).open();
    for (let round = 0; round < 20; round++) expect(await probe.call(1, drawnCall)).toEqual(['correct']);
    expect(asked.filter((method) => method !== 'server/discover')).toEqual(Array(20).fill('tools/call'));
  });

  test('refuses the same calls without them, and the sample shows the headers that were sent', async () => {
    const probe = await new ChannelProbe(await officialServer(), { pinned: MODERN }).open();
    expect(await probe.call(1, { ...drawnCall, paramHeaders: [] })).toEqual(['rpc_-32020']);
    expect(await probe.call(1, { ...drawnCall, paramHeaders: plans.slice(0, 2) })).toEqual(['rpc_-32020']);
    const request = probe.failures[0]?.sample?.request ?? '';
    expect(request).not.toContain('mcp-param-');
    const second = await new ChannelProbe(await officialServer(), { pinned: MODERN }).open();
    expect(await second.call(1, { ...drawnCall, paramHeaders: plans.slice(0, 2) })).toEqual(['rpc_-32020']);
    expect(second.lastFailure?.sample?.request).toMatch(/mcp-param-count: -?\d+/);
  });
});
