/** Whatever somebody writes into a compose file, to read it takes time in proportion to its length. */
import { describe, expect, test } from '@jest/globals';
import { formatProblems } from '../../../../scenarios/yaml/problem.js';
import { compose } from '../../../../tests/support/compose/compose.js';
import { growthOf, LINEAR } from '../../../../tests/support/growth.js';

function many(size: number, item: (index: number) => string, separator = '\n'): string {
  return Array.from({ length: size }, (_, index) => item(index)).join(separator);
}

const service = 'services:\n  s:\n    image: i\n';

function list(key: string, item: (index: number) => string): (size: number) => string {
  return (size) => `${service}    ${key}: [${many(size, item, ', ')}]`;
}

/** The text of a compose file with `size` parts of one kind. */
const texts: Readonly<Record<string, (size: number) => string>> = {
  services: (size) => `services:\n${many(size, (index) => `  s${index}: { image: i }`)}`,
  'unknown keys': (size) => `${service}${many(size, (index) => `    k${index}: 1`)}`,
  'unknown keys at the top': (size) => `${service}${many(size, (index) => `k${index}: 1`)}`,
  'services that are wrong': (size) => `services:\n${many(size, (index) => `  s${index}: { imag: 1 }`)}`,
  variables: list('command', () => '"$' + '{A:-b}"'),
  'variables inside variables': (size) => `${service}    command: "${'${A:-'.repeat(size)}x${'}'.repeat(size)}"`,
  'variables that are not closed': (size) => `${service}    command: "${'${A'.repeat(size)}"`,
  environment: list('environment', (index) => `K${index}=v`),
  labels: list('labels', (index) => `k${index}=v`),
  ports: list('ports', (index) => `"${10_000 + index}:80"`),
  volumes: list('volumes', (index) => `"v${index}:/v${index}"`),
  networks: (size) =>
    `${service}    networks: [${many(size, (i) => `n${i}`, ', ')}]\nnetworks:\n${many(size, (i) => `  n${i}: {}`)}`,
  'networks that are not declared': list('networks', (index) => `n${index}`),
  secrets: (size) =>
    `${service}    secrets: [${many(size, (i) => `x${i}`, ', ')}]\n` +
    `secrets:\n${many(size, (i) => `  x${i}: { external: true }`)}`,
  'words of a command': (size) => `${service}    command: ${many(size, () => "'a b'", ' ')}`,
  'nested lists': (size) => `${service}    x-a: ${'['.repeat(size)}${']'.repeat(size)}`,
};

describe('a compose file is read in linear time, with many', () => {
  test.each(Object.entries(texts))('%s', async (_, textOf) => {
    const read = (size: number) => {
      const outcome = compose(textOf(size), { environment: { A: 'a' } });
      if (outcome.kind === 'refused') formatProblems(outcome.problems, { withPath: true });
    };
    expect(await growthOf(read, 100)).toBeLessThan(LINEAR);
  });
});

test('files that are merged are read in linear time', async () => {
  const read = (size: number) =>
    compose(Array.from({ length: size }, (_, index) => `${service}    hostname: h${index}`));
  expect(await growthOf(read, 20)).toBeLessThan(LINEAR);
});
