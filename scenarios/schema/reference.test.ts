import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { planOf } from '../../tests/support/scenarios/files.js';
import { allKeyPaths } from './keys/describe-keys.js';
import { listProfiles, listScenarios } from './list-scenarios.js';
import { referenceFiles, scenarioReference } from './reference.js';
import { shippedFolder } from './scenario-io.js';

const docs = join(dirname(shippedFolder()), 'docs');

test.each([...referenceFiles()])(
  'docs/%s is what the schemas say; after a change: npm run build && node tools/generate.mjs',
  (name, text) => {
    expect(readFileSync(join(docs, name), 'utf8')).toBe(text);
  },
);

test('the reference has a row for every key', () => {
  const rows = new Set([...scenarioReference().matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key));
  const written = allKeyPaths().map((path) =>
    path
      .replace(/^profile\./, '')
      .replaceAll('.*', '[]')
      .replace('workload[]', 'workload.NAME'),
  );
  expect(written.filter((key) => !rows.has(key))).toEqual([]);
});

describe.each(['writing-scenarios.md', 'streams-and-misbehaviour.md'])('docs/%s', (name) => {
  const text = readFileSync(join(docs, name), 'utf8');
  const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, example]) => example ?? '');

  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(2);
  });

  test.each(examples.map((example) => [/^name: (.*)/.exec(example)?.[1], example]))(
    '%s is a scenario',
    (_, example) => {
      const plan = planOf(example ?? '');
      const insecure = plan.target.kind === 'url' && plan.target.tls?.insecure === true;
      expect(plan.warnings).toEqual(insecure ? [expect.stringContaining('(insecure)')] : []);
    },
  );
});

test('the first example of docs/writing-scenarios.md is as its comments say', () => {
  const text = readFileSync(join(docs, 'writing-scenarios.md'), 'utf8');
  const plan = planOf(/```yaml\n([^]*?)```/.exec(text)?.[1] ?? '');
  expect(plan.profiles.map(({ name, clients }) => [name, clients])).toEqual([
    ['low-load', 20],
    ['searchers', 10],
  ]);
  expect(plan.thresholds).toHaveLength(3);
});

test('scenarios/README.md names everything that is shipped', () => {
  const readme = readFileSync(join(shippedFolder(), 'README.md'), 'utf8');
  for (const { name } of [...listScenarios(), ...listProfiles()]) expect(readme).toContain(`\`${name}\``);
});
