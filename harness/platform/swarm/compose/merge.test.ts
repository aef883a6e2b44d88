import { describe, expect, test } from '@jest/globals';
import { serviceOf, stackOf, warningsOf } from '../../../../tests/support/compose/compose.js';
import type { ServiceSpec } from './swarm-types.js';

function merged(first: string, second: string, rest = ''): ServiceSpec {
  const service = stackOf([`services: { a: { image: i, ${first} } }\n${rest}`, `services: { a: { ${second} } }`])
    .services[0];
  if (service === undefined) throw new Error('no service');
  return service;
}

function container(spec: ServiceSpec) {
  return spec.TaskTemplate.ContainerSpec;
}

describe('a later file over an earlier one', () => {
  test.each([
    ['a value replaces a value', 'user: "1"', 'user: "2"', 'user: "2"'],
    ['an empty text replaces nothing', 'user: "1"', 'user: ""', 'user: "1"'],
    ['a flag that is on stays on', 'tty: true, init: true', 'tty: false, init: false', 'tty: true, init: true'],
    [
      'variables unite, and an empty one replaces nothing',
      'environment: { A: 1, B: 1, C: }',
      'environment: { A: 2, B: "", C: 3, D: }',
      'environment: { A: 2, B: 1, C: 3, D: }',
    ],
    [
      'labels unite, and an empty one replaces',
      'labels: { a: 1, b: 1 }',
      'labels: [a=2, b]',
      'labels: { a: 2, b: "" }',
    ],
    ['a command replaces a command', 'command: [a, b]', 'command: c', 'command: [c]'],
    ['an empty command replaces nothing', 'command: [a, b]', 'command: []', 'command: [a, b]'],
    ['lists grow', 'dns: [a], cap_add: [X]', 'dns: [b], cap_add: [Y]', 'dns: [a, b], cap_add: [X, Y]'],
    [
      'ports replace ports of the same published number, and are sorted',
      'ports: ["5:5", "4:4"]',
      'ports: ["4:9", "3:3"]',
      'ports: ["3:3", "4:9", "5:5"]',
    ],
    [
      'mounts replace mounts of the same target',
      'volumes: ["/z", "/a:/y"]',
      'volumes: ["/b:/y:ro"]',
      'volumes: ["/b:/y:ro", "/z"]',
    ],
    ['replicas can become 0', 'deploy: { replicas: 3 }', 'deploy: { replicas: 0 }', 'deploy: { replicas: 0 }'],
    [
      'a restart policy is merged key by key',
      'deploy: { restart_policy: { delay: 5s, max_attempts: 3 } }',
      'deploy: { restart_policy: { condition: none, delay: 0s, max_attempts: 0 } }',
      'deploy: { restart_policy: { condition: none, delay: 5s, max_attempts: 0 } }',
    ],
    [
      'constraints grow',
      'deploy: { placement: { constraints: [node.id==a] } }',
      'deploy: { placement: { constraints: [node.id==b] } }',
      'deploy: { placement: { constraints: [node.id==a, node.id==b] } }',
    ],
    [
      'the test of a healthcheck is appended',
      'healthcheck: { test: [CMD, x], interval: 1s }',
      'healthcheck: { test: y }',
      'healthcheck: { test: [CMD, x, CMD-SHELL, "y"], interval: 1s }',
    ],
    [
      'another log driver replaces the whole block',
      'logging: { driver: x, options: { a: 1 } }',
      'logging: { driver: z }',
      'logging: { driver: z }',
    ],
    [
      'options of the same log driver unite',
      'logging: { driver: x, options: { a: 1, b: 1 } }',
      'logging: { options: { a: 2 } }',
      'logging: { driver: x, options: { a: 2, b: 1 } }',
    ],
    [
      'options are lost where the first file has none',
      'logging: { driver: x }',
      'logging: { options: { a: 2 } }',
      'logging: { driver: x }',
    ],
    [
      'ulimits are replaced one by one',
      'ulimits: { nofile: 1, core: 1 }',
      'ulimits: { nofile: { soft: 2, hard: 3 } }',
      'ulimits: { nofile: { soft: 2, hard: 3 }, core: 1 }',
    ],
    [
      'aliases are replaced, driver options stay',
      'networks: { default: { aliases: [x], driver_opts: { a: b } } }',
      'networks: { default: { aliases: [y] } }',
      'networks: { default: { aliases: [y], driver_opts: { a: b } } }',
    ],
  ])('%s', (_, first, second, same) => {
    expect(merged(first, second)).toEqual(serviceOf(same));
  });
});

test('services of one file only stay as they are written', () => {
  const stack = stackOf([
    'services: { a: { image: i, ports: ["5:5", "4:4"] } }',
    'services: { b: { image: i, volumes: ["/z", "/a"] } }',
  ]);
  expect(stack.services.map((service) => service.Name)).toEqual(['s_a', 's_b']);
  expect(stack.services[1] && container(stack.services[1]).Mounts?.map((mount) => mount.Target)).toEqual(['/z', '/a']);
});

test('networks, volumes, configs and secrets are taken whole from the last file that has them', () => {
  const { networks } = stackOf([
    'services: { a: { image: i, networks: [n] } }\nnetworks: { n: { attachable: true } }',
    'networks: { n: { internal: true } }',
  ]);
  expect(networks).toMatchObject([{ Internal: true, Attachable: false }]);
});

describe('merging warns of what it loses', () => {
  test.each([
    ['ports: ["53:53/tcp", "53:53/udp"]', 'hostname: x', 'services.a.ports: is lost'],
    ['read_only: true', 'read_only: false', 'services.a.read_only: stays true'],
    ['logging: { driver: x }', 'logging: { options: { a: b } }', 'services.a.logging.options: are lost'],
    ['healthcheck: { test: x }', 'healthcheck: { test: "y" }', 'is appended to the test of the earlier file'],
  ])('%s and then %s', (first, second, warning) => {
    expect(
      warningsOf([`services: { a: { image: i, ${first} } }`, `services: { a: { ${second} } }`]).join('\n'),
    ).toContain(warning);
  });
});
