import { describe, expect, test } from '@jest/globals';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { resultCheck, structuredCheck } from './result-rules.js';

const TEXT = { type: 'text', text: 'hi' };

describe('a result of MCP', () => {
  test.each<[OperationPlan['method'], Record<string, unknown>]>([
    ['tools/call', { content: [] }],
    ['tools/call', { content: [TEXT], isError: false, structuredContent: { a: 1 }, _meta: {} }],
    ['tools/call', { content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] }],
    ['tools/call', { content: [{ type: 'resource', resource: { uri: 'x:1', text: '' } }] }],
    ['tools/call', { content: [{ type: 'resource_link', uri: 'x:1', name: 'one' }] }],
    ['tools/list', { tools: [{ name: 'without a schema' }], nextCursor: null }],
    ['resources/read', { contents: [{ uri: 'x:1', blob: '' }] }],
    ['resources/list', { resources: [{ uri: 'x:1', name: 'one' }] }],
    ['prompts/list', { prompts: [] }],
    ['prompts/get', { messages: [{ role: 'user', content: TEXT }] }],
    ['ping', {}],
  ])('of %s is correct: %j', (method, result) => {
    expect(resultCheck(method, 'legacy')(result)).toBeUndefined();
    expect(resultCheck(method, 'modern')({ ...result, resultType: 'complete' })).toBeUndefined();
  });

  test.each<[OperationPlan['method'], Record<string, unknown>, RegExp]>([
    ['tools/call', {}, /no `content`, which MCP requires/],
    ['tools/call', { content: 'hello' }, /content is hello, not a list/],
    ['tools/call', { content: [TEXT, 'hello'] }, /content\[1\] is hello, not an object/],
    ['tools/call', { content: [{ type: 'text' }] }, /content\[0\]\.text is missing, not text/],
    ['tools/call', { content: [{ type: 'video' }] }, /content\[0\]\.type is video, none of text, image/],
    ['tools/call', { content: [{ type: 'resource', resource: { uri: 'x' } }] }, /neither `text` nor `blob`/],
    ['tools/call', { content: [], isError: 'no' }, /isError is no/],
    ['tools/call', { task: { taskId: '1' } }, /a task, which this client did not ask for/],
    ['tools/list', { tools: [{}] }, /tools\[0\]\.name is missing/],
    ['resources/read', { contents: [{ uri: 'x' }] }, /contents\[0\] has neither/],
    ['prompts/get', { messages: [{ role: 'system', content: TEXT }] }, /messages\[0\]\.role is system/],
  ])('of %s is a violation: %j', (method, result, detail) => {
    expect(resultCheck(method, 'legacy')(result)).toMatchObject({
      category: 'protocol_violation',
      detail: expect.stringMatching(detail),
    });
  });

  test.each(['task', 'later', 5])('of type %s is one that nobody asked for', (resultType) => {
    const result = { content: [TEXT], resultType };
    expect(resultCheck('tools/call', 'modern')(result)?.detail).toContain('did not announce');
    expect(resultCheck('tools/call', 'legacy')(result)).toBeUndefined();
  });
});

describe('structured content', () => {
  const schema = {
    type: 'object',
    properties: { n: { $ref: '#/$defs/N' } },
    required: ['n'],
    $defs: { N: { type: 'integer' } },
  };

  test.each([
    ['2020-12, by default', schema],
    ['draft 7, where the schema says so', { ...schema, $schema: 'http://json-schema.org/draft-07/schema#' }],
  ])('is held against the schema of its tool: %s', (_name, written) => {
    const check = structuredCheck(JSON.stringify(written));
    expect(check({ structuredContent: { n: 3 } })).toBeUndefined();
    expect(check({ structuredContent: { n: 3.5 } })?.detail).toMatch(/outputSchema: \/n must be integer/);
    expect(check({ structuredContent: {} })?.detail).toMatch(/must have required property 'n'/);
    expect(check({ content: [] })?.detail).toContain('has no `structuredContent`');
  });

  test('is not judged by what is no schema', () => {
    expect(() => structuredCheck('{"type":"nonsense"}')).toThrow(/type/);
  });
});
