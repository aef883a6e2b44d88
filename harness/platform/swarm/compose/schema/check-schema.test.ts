import { describe, expect, test } from '@jest/globals';
import { problemsOf, warningsOf } from '../../../../../tests/support/compose/compose.js';

test('all problems of all files are found at once, in order, each with its place', () => {
  const first =
    'services:\n  a:\n    image: Bad\n    imagee: x\n    ports: [http]\n' +
    '  b:\n    image: i\n    deploy: { replicas: "2" }\n';
  expect(problemsOf([first, 'services: { c: { image: i, tty: 1 } }'])).toEqual([
    '1.yml:4:5: services.a.imagee: unknown key | did you mean "image"?',
    '1.yml:5:13: services.a.ports[0]: "http" is not a container port | ' +
      '[published:]target[/tcp|udp|sctp], each a port or a range',
    '1.yml:8:25: services.b.deploy.replicas: must be a whole number, not text "2" | leave the quotes out',
    '2.yml:1:33: services.c.tty: must be true or false, not the number 1',
  ]);
});

test('every repeated item is a problem', () => {
  expect(problemsOf('services: { a: { image: i, ports: ["1:1", { target: 2 }, "1:1", { target: 2 }] } }')).toEqual([
    '1.yml:1:58: services.a.ports[2]: is the same as item 0 | leave one of them out',
    '1.yml:1:65: services.a.ports[3]: is the same as item 1 | leave one of them out',
  ]);
});

test('a value of a wrong type is one problem, whatever else the schema says of it', () => {
  expect(problemsOf('services: { a: { image: i, deploy: { update_config: { order: [x] } } } }')).toEqual([
    '1.yml:1:62: services.a.deploy.update_config.order: must be text, not a list',
  ]);
});

describe('hints say what to write instead', () => {
  test.each([
    ['services: { a: { image: i, cpus: 1 } }', 'set it under deploy.resources'],
    ['services: { a: { image: i, hostname: 1 } }', 'put it in quotes'],
    ['services: { a: { image: i, depends_on: { b: {} } } }', 'a Swarm takes a list of names here, and ignores it'],
    ['services: { a: { image: i, mem_limit: 1g } }', 'set it under deploy.resources'],
    ['services: { a: { image: i, deploy: { zzzz: 1 } } }', 'the keys are mode, endpoint_mode'],
    ['services: { a: { image: i, constructor: 1 } }', 'the keys are deploy, build'],
    ['name: x', 'the stack is named when it is deployed, not in the file'],
    [
      'version: "3.8"\nservices: { a: { image: i, healthcheck: { start_interval: 1s } } }',
      'leave `version` out, which means the newest format',
    ],
  ])('%s', (text, hint) => {
    expect(problemsOf(text)[0]?.split(' | ')[1]).toContain(hint);
  });
});

describe('ignored keys are warnings, with their places', () => {
  test.each([
    ['services: { a: { image: i, build: . } }', '1.yml:1:28: services.a.build: is ignored'],
    ['services: { a: { image: i, depends_on: [] } }', '1.yml:1:28: services.a.depends_on: is ignored'],
    ['services: { a: { image: i, oom_score_adj: 1 } }', '1.yml:1:28: services.a.oom_score_adj: is ignored'],
    [
      'services: { a: { image: i, restart: always, deploy: { restart_policy: {} } } }',
      '1.yml:1:28: services.a.restart: is ignored: deploy.restart_policy is given',
    ],
    [
      'services: { a: { image: i, secrets: [{ source: s, moed: 1 }] } }\nsecrets: { s: { external: true } }',
      'services.a.secrets[0].moed: is unknown and ignored | did you mean "mode"?',
    ],
    ['services: { a: { image: i, volumes: ["/x:/y:Z"] } }', 'services.a.volumes[0]: the option "Z" is ignored'],
    ['services: { a: { image: i, ports: ["127.0.0.1:80:80"] } }', 'the address 127.0.0.1 is ignored'],
    [
      'services: { a: { image: i, environment: { A: 2020-01-01 } } }',
      'is read as a date and becomes "2020-01-01 00:00:00 +0000 UTC" | put it in quotes',
    ],
    [
      'services: {}\nnetworks: { n: { external: true, driver: overlay } }',
      'networks.n.driver: is ignored: an external object is used as it is',
    ],
    [
      'services: { a: { image: i, networks: { default: { ipv4_address: 10.0.0.7 } } } }',
      'services.a.networks.default.ipv4_address: is ignored',
    ],
  ])('%s', (text, warning) => {
    expect(warningsOf(text).join('\n')).toContain(warning);
  });
});

test('extensions can hold anything', () => {
  expect(warningsOf('x-a: { b: c }\nservices: { a: { image: i, x-b: [1] } }\nnetworks: { n: { x-c: } }')).toEqual([]);
});
