import { expect, test } from '@jest/globals';
import { compose, problemsOf, serviceOf, stackOf } from '../../../../tests/support/compose/compose.js';

test('the same files give the same stack', () => {
  const text =
    'services: { a: { image: i, environment: { B: 1, A: 2 } }, b: { image: i, networks: [x, y] } }\n' +
    'networks: { y: , x: }';
  expect(JSON.stringify(compose(text))).toBe(JSON.stringify(compose(text)));
});

test('every object is labelled with its stack', () => {
  const stack = stackOf('services: { a: { image: i } }\nconfigs: { c: { file: f } }\nsecrets: { s: { file: f } }', {
    files: { '/work/f': 'x' },
  });
  for (const object of [...stack.services, ...stack.networks, ...stack.configs, ...stack.secrets]) {
    expect(object.Labels['com.docker.stack.namespace']).toBe('s');
    expect(object.Name).toMatch(/^s_/);
  }
  expect(stack.services[0]?.Labels['com.docker.stack.image']).toBe('i');
});

test('variables come from the environment that is given, and from nowhere else', () => {
  expect(
    serviceOf('hostname: "${PATH:-none}-${A}", environment: [A, PATH]', '', { environment: { A: 'x' } }).TaskTemplate
      .ContainerSpec,
  ).toMatchObject({ Hostname: 'none-x', Env: ['A=x', 'PATH'] });
  expect(serviceOf('hostname: "${toString:-none}"').TaskTemplate.ContainerSpec.Hostname).toBe('none');
});

test('names that JavaScript uses itself are names like others', () => {
  const { services } = stackOf('services: { constructor: { image: i, labels: { __proto__: x, toString: y } } }');
  expect(services.map((service) => service.Name)).toEqual(['s_constructor']);
  expect(Object.entries(services[0]?.TaskTemplate.ContainerSpec.Labels ?? {})).toContainEqual(['__proto__', 'x']);
});

test('files of different formats cannot be merged', () => {
  expect(problemsOf(['version: "3.8"\nservices: {}', 'version: "3.9"\nservices: {}'])).toEqual([
    '2.yml:1:10: version: this file has format 3.9, and an earlier one 3.8 | leave the line out of all files',
  ]);
  expect(problemsOf(['version: "3"\nservices: {}', 'services: {}'])).toEqual([]);
});

test('a later file can correct an earlier one', () => {
  expect(
    problemsOf([
      'services: { a: { deploy: { resources: { limits: { cpus: x } } } } }',
      'services: { a: { image: i, deploy: { resources: { limits: { cpus: "1" } } } } }',
    ]),
  ).toEqual([]);
});
