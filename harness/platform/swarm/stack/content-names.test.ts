import { expect, test } from '@jest/globals';
import type { StackSpec } from '../compose/compose-to-swarm.js';
import { withContentNames } from './content-names.js';

function stack(content: string, name = 'bench_motd'): StackSpec {
  const File = { Name: '/motd', UID: '0', GID: '0', Mode: 0o444 };
  return {
    name: 'bench',
    networks: [],
    externalNetworks: [],
    configs: [{ Name: name, Labels: {}, Data: content }],
    secrets: [{ Name: 'bench_key', Labels: {}, Data: content }],
    services: [
      {
        Name: 'bench_one',
        Labels: {},
        Mode: {},
        EndpointSpec: {},
        TaskTemplate: {
          ForceUpdate: 0,
          Resources: {},
          Placement: {},
          ContainerSpec: {
            Configs: [
              { File, ConfigID: '', ConfigName: name },
              { File, ConfigID: '', ConfigName: 'elsewhere' },
            ],
            Secrets: [{ File, SecretID: '', SecretName: 'bench_key' }],
          },
        },
      },
    ],
  };
}

function names({ configs, secrets }: StackSpec): readonly string[] {
  return [...configs, ...secrets].map(({ Name }) => Name);
}

test('the same content has the same name, another content another one', () => {
  expect(names(withContentNames(stack('b25l')))).toEqual(names(withContentNames(stack('b25l'))));
  for (const [index, name] of names(withContentNames(stack('b25l'))).entries())
    expect(names(withContentNames(stack('dHdv')))[index]).not.toBe(name);
});

test('services refer to the new names, and to external objects as before', () => {
  const { services, configs, secrets } = withContentNames(stack('b25l'));
  const { Configs, Secrets } = services[0]?.TaskTemplate.ContainerSpec ?? {};
  expect(Configs?.map(({ ConfigName }) => ConfigName)).toEqual([configs[0]?.Name, 'elsewhere']);
  expect(Secrets?.map(({ SecretName }) => SecretName)).toEqual([secrets[0]?.Name]);
});

test('a name that the file chose beyond the stack stays, and none is longer than the engine takes', () => {
  expect(withContentNames(stack('b25l', 'mine')).configs[0]?.Name).toBe('mine');
  expect(withContentNames(stack('b25l', `bench_${'x'.repeat(58)}`)).configs[0]?.Name).toHaveLength(64);
});
