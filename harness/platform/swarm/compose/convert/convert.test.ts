import { describe, expect, test } from '@jest/globals';
import { serviceOf, stackOf } from '../../../../../tests/support/compose/compose.js';
import { convertCapabilities } from './container.js';
import { familiarImage, imageProblem } from './image.js';

describe('keys of a service', () => {
  test.each([
    ['command: a "b c"', { Args: ['a', 'b c'] }],
    ['entrypoint: [a, "b c"]', { Command: ['a', 'b c'] }],
    ['environment: { B: 1, A: , C: "" }', { Env: ['A', 'B=1', 'C='] }],
    ['labels: [a=b=c, d]', { Labels: { a: 'b=c', d: '', 'com.docker.stack.namespace': 's' } }],
    ['extra_hosts: ["a:10.0.0.1", "b=[::1]"]', { Hosts: ['10.0.0.1 a', '::1 b'] }],
    ['dns: []', { DNSConfig: {} }],
    ['dns_search: x', { DNSConfig: { Search: ['x'] } }],
    ['init: false', { Init: false }],
    ['stop_grace_period: 0s', { StopGracePeriod: 0 }],
    [
      'ulimits: { b: 1, a: { soft: 1, hard: 2 } }',
      {
        Ulimits: [
          { Name: 'a', Soft: 1, Hard: 2 },
          { Name: 'b', Soft: 1, Hard: 1 },
        ],
      },
    ],
    [
      'healthcheck: { test: x, interval: 1s, retries: 0 }',
      { Healthcheck: { Test: ['CMD-SHELL', 'x'], Interval: 1e9 } },
    ],
    ['healthcheck: { disable: true, interval: 1s }', { Healthcheck: { Test: ['NONE'] } }],
    [
      'volumes: [{ type: tmpfs, target: /x, tmpfs: { size: 1 } }]',
      { Mounts: [{ Type: 'tmpfs', Target: '/x', TmpfsOptions: { SizeBytes: 1 } }] },
    ],
    ['volumes: ["./x:/x:ro"]', { Mounts: [{ Type: 'bind', Source: '/work/x', Target: '/x', ReadOnly: true }] }],
    [
      'credential_spec: { file: f }',
      {
        Privileges: {
          CredentialSpec: { Config: '', File: 'f', Registry: '' },
          SELinuxContext: null,
          NoNewPrivileges: false,
        },
      },
    ],
  ])('%s', (keys, expected) => {
    expect(serviceOf(keys).TaskTemplate.ContainerSpec).toMatchObject(expected);
  });
});

describe('how a service is run', () => {
  test.each([
    ['deploy: {}', { Mode: { Replicated: {} } }],
    ['deploy: { replicas: 0 }', { Mode: { Replicated: { Replicas: 0 } } }],
    ['deploy: { mode: global }', { Mode: { Global: {} } }],
    [
      'deploy: { mode: replicated-job, replicas: 2 }',
      { Mode: { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 2 } } },
    ],
    ['deploy: { mode: global-job }', { Mode: { GlobalJob: {} } }],
    ['deploy: { update_config: {} }', { UpdateConfig: { Parallelism: 1, MaxFailureRatio: 0, Order: '' } }],
    ['deploy: { endpoint_mode: DNSRR }', { EndpointSpec: { Mode: 'dnsrr' } }],
    ['restart: "on-failure:3"', { TaskTemplate: { RestartPolicy: { Condition: 'on-failure', MaxAttempts: 3 } } }],
    ['restart: unless-stopped', { TaskTemplate: { RestartPolicy: { Condition: 'any' } } }],
    ['deploy: { restart_policy: {} }', { TaskTemplate: { RestartPolicy: {} } }],
    [
      'deploy: { resources: { limits: { cpus: "0.5", memory: 1g } } }',
      { TaskTemplate: { Resources: { Limits: { NanoCPUs: 5e8, MemoryBytes: 2 ** 30 } } } },
    ],
    ['ports: ["2:2", "1:1"]', { EndpointSpec: { Ports: [{ PublishedPort: 1 }, { PublishedPort: 2 }] } }],
  ])('%s', (keys, expected) => {
    expect(serviceOf(keys)).toMatchObject(expected);
  });

  test('absent blocks are absent', () => {
    expect(Object.keys(serviceOf('hostname: x'))).toEqual(['Name', 'Labels', 'TaskTemplate', 'Mode', 'EndpointSpec']);
    expect(serviceOf('restart: "no"').TaskTemplate).not.toHaveProperty('RestartPolicy');
  });
});

describe('networks', () => {
  test('the default network is made for services that name none, and unused networks are not made', () => {
    expect(stackOf('services: { a: { image: i } }\nnetworks: { unused: }').networks).toEqual([
      {
        Name: 's_default',
        Driver: 'overlay',
        Internal: false,
        Attachable: false,
        Labels: { 'com.docker.stack.namespace': 's' },
      },
    ]);
  });

  test('attachments are sorted by name, with the service as an alias where there are aliases', () => {
    const service = serviceOf(
      'networks: { z: { aliases: [x] }, b: }',
      'networks: { z: , b: { external: true, name: host } }',
    );
    expect(service.TaskTemplate.Networks).toEqual([{ Target: 'host' }, { Target: 's_z', Aliases: ['x', 'a'] }]);
  });

  test('external networks have to be looked up, except those of the engine itself', () => {
    const stack = stackOf(
      'services: { a: { image: i, networks: [x, h] } }\n' +
        'networks: { x: { external: true }, h: { external: { name: host } } }',
    );
    expect([stack.networks, stack.externalNetworks]).toEqual([[], ['x']]);
  });
});

test('volumes carry the labels and the driver of their definition', () => {
  const definition = 'volumes: { v: { driver: d, driver_opts: { n: 1 }, labels: { x: y } } }';
  expect(
    serviceOf('volumes: ["v_:/x"]', 'volumes: { v_: { name: n } }').TaskTemplate.ContainerSpec.Mounts,
  ).toMatchObject([{ Source: 'n' }]);
  expect(
    serviceOf('volumes: [{ type: volume, source: v, target: /x, volume: { nocopy: true } }]', definition).TaskTemplate
      .ContainerSpec.Mounts,
  ).toEqual([
    {
      Type: 'volume',
      Source: 's_v',
      Target: '/x',
      VolumeOptions: {
        NoCopy: true,
        Labels: { x: 'y', 'com.docker.stack.namespace': 's' },
        DriverConfig: { Name: 'd', Options: { n: '1' } },
      },
    },
  ]);
});

test('all configs and secrets are made, and each reference names its object', () => {
  const text =
    'services: { a: { image: i, configs: [{ source: c, target: /t, mode: 0400 }], secrets: [x] } }\n' +
    'configs: { c: { file: f }, d: { file: f, name: given } }\nsecrets: { x: { external: true, name: outside } }';
  const stack = stackOf(text, { files: { '/work/f': 'content' } });
  expect(stack.configs.map(({ Name, Data }) => [Name, Buffer.from(Data ?? '', 'base64').toString()])).toEqual([
    ['s_c', 'content'],
    ['given', 'content'],
  ]);
  expect(stack.secrets).toEqual([]);
  expect(stack.services[0]?.TaskTemplate.ContainerSpec).toMatchObject({
    Configs: [{ File: { Name: '/t', UID: '0', GID: '0', Mode: 0o400 }, ConfigID: '', ConfigName: 's_c' }],
    Secrets: [{ File: { Name: 'x', UID: '0', GID: '0', Mode: 0o444 }, SecretID: '', SecretName: 'outside' }],
  });
});

test('a secret of a driver has options and no data', () => {
  const [secret] = stackOf(
    'services: {}\nsecrets: { x: { driver: d, driver_opts: { n: 1 }, template_driver: golang } }',
  ).secrets;
  expect(secret).toEqual({
    Name: 's_x',
    Labels: { 'com.docker.stack.namespace': 's' },
    Driver: { Name: 'd', Options: { n: '1' } },
    Templating: { Name: 'golang' },
  });
});

test.each([
  [['net_admin', 'CAP_CHOWN'], [], ['CAP_CHOWN', 'CAP_NET_ADMIN'], []],
  [['NET_ADMIN'], ['ALL'], ['CAP_NET_ADMIN'], ['ALL']],
  [['x'], ['X', 'y'], ['CAP_X'], ['CAP_Y']],
  [['all', 'x'], ['reset'], ['ALL'], []],
])('capabilities %j less %j', (add, drop, added, dropped) => {
  expect(convertCapabilities(add, drop)).toEqual({ added, dropped });
});

describe('images', () => {
  test.each([
    ['busybox', 'busybox:latest'],
    ['docker.io/library/busybox', 'busybox:latest'],
    ['index.docker.io/a/b:1', 'a/b:1'],
    ['library/busybox', 'busybox:latest'],
    ['localhost:5000/a', 'localhost:5000/a:latest'],
    [`a@sha256:${'0'.repeat(64)}`, `a@sha256:${'0'.repeat(64)}`],
  ])('%s is sent as %s', (image, sent) => {
    expect(familiarImage(image)).toBe(sent);
  });
  test.each(['A', 'a b', 'a:', 'a/B', 'a@sha256:12', '-a', 'a//b', `${'a/'.repeat(128)}a`])('%s is none', (image) => {
    expect(imageProblem(image)).toBeDefined();
  });
});
