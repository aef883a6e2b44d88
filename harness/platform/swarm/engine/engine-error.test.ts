import { expect, test } from '@jest/globals';
import { toEngineError } from './engine-error.js';

const at = 'unix:///var/run/docker.sock';

test.each<[number, string, string]>([
  [500, 'rpc error: code = Unknown desc = update out of sequence', 'OUT_OF_SEQUENCE'],
  [
    503,
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm ' +
      'and try again.',
    'NOT_A_MANAGER',
  ],
  [
    409,
    'rpc error: code = AlreadyExists desc = name conflicts with an existing object: service x already exists',
    'NAME_TAKEN',
  ],
  [
    400,
    "rpc error: code = InvalidArgument desc = port '80' is already in use by service 'web' (abc) as an ingress port",
    'PORT_IN_USE',
  ],
  [400, "rpc error: code = InvalidArgument desc = config 'c' is in use by the following service: web", 'OBJECT_IN_USE'],
  [403, 'error while removing network: network n id abc has active endpoints', 'OBJECT_IN_USE'],
  [404, 'service nope not found', 'OBJECT_NOT_FOUND'],
  [400, 'rpc error: code = InvalidArgument desc = something else', 'ENGINE_REFUSED'],
])('%i %s is %s', (statusCode, message, code) => {
  const error = toEngineError(
    Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), { statusCode, json: { message } }),
    'creating it',
    at,
  );
  expect(error.code).toBe(code);
  expect(error.message).toBe(`creating it: ${message.replace(/^rpc error: code = \w+ desc = /, '')}`);
});

test('the message of a stream is found in the message of the error', () => {
  const error = toEngineError(
    Object.assign(new Error('(HTTP code 404) unexpected - service nope not found '), { statusCode: 404, json: null }),
    'reading logs',
    at,
  );
  expect(error).toMatchObject({ code: 'OBJECT_NOT_FOUND', message: 'reading logs: service nope not found' });
});

test.each([
  ['ECONNREFUSED', 'ENGINE_UNREACHABLE'],
  ['ENOENT', 'ENGINE_UNREACHABLE'],
  ['ECONNRESET', 'ENGINE_UNREACHABLE'],
  ['EACCES', 'ENGINE_FORBIDDEN'],
])('%s is %s, with the address', (code, ours) => {
  const error = toEngineError(Object.assign(new Error(`connect ${code}`), { code }), 'creating it', at);
  expect(error.code).toBe(ours);
  expect(error.message).toContain(at);
});
