import { expect, test } from '@jest/globals';
import { engineAddress } from './address.js';

test.each([
  [{ HOME: '/nowhere' }, 'unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
  [{ DOCKER_HOST: '', HOME: '/nowhere' }, 'unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
  [
    { DOCKER_HOST: 'unix:///run/user/1000/docker.sock' },
    'unix:///run/user/1000/docker.sock',
    { socketPath: '/run/user/1000/docker.sock' },
  ],
  [{ DOCKER_HOST: 'tcp://10.0.0.5:2375' }, 'tcp://10.0.0.5:2375', { protocol: 'http', host: '10.0.0.5', port: '2375' }],
  [{ DOCKER_HOST: '10.0.0.5' }, 'tcp://10.0.0.5', { protocol: 'http', host: '10.0.0.5', port: 2375 }],
  [
    { DOCKER_HOST: 'tcp://10.0.0.5', DOCKER_TLS_VERIFY: '1' },
    'tcp://10.0.0.5',
    { protocol: 'https', host: '10.0.0.5', port: 2376 },
  ],
  [{ DOCKER_HOST: 'ssh://me@node2' }, 'ssh://me@node2', { protocol: 'ssh', host: 'node2', port: 22, username: 'me' }],
])('%j is %s', (env, text, options) => {
  expect(engineAddress(env)).toMatchObject({ text, options });
});

test.each(['http://', 'ftp://x', 'tcp://'])('%s is no address', (host) => {
  expect(() => engineAddress({ DOCKER_HOST: host })).toThrow(expect.objectContaining({ code: 'ENGINE_UNREACHABLE' }));
});
