import { expect, test } from '@jest/globals';
import { sourceEndpoints } from './endpoints.js';

const endpoint = { url: 'http://127.0.0.1:1/mcp', headers: { a: 'b' } };

test('an endpoint becomes one endpoint for each of its sources, or itself without any', () => {
  expect(sourceEndpoints({ ...endpoint, sources: ['127.0.0.2', '127.0.0.3'] })).toEqual([
    { ...endpoint, sources: ['127.0.0.2'] },
    { ...endpoint, sources: ['127.0.0.3'] },
  ]);
  expect(sourceEndpoints(endpoint)).toEqual([endpoint]);
});
