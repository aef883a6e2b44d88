/** The corpus is whole: every key of the format is in it, in every form that the key can have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { interpolate } from '../../harness/platform/swarm/compose/interpolate.js';
import { Findings } from '../../harness/platform/swarm/compose/problem.js';
import { composeFile } from '../../harness/platform/swarm/compose/schema/file-shape.js';
import { fits } from '../../harness/platform/swarm/compose/schema/messages.js';
import type { Shape } from '../../harness/platform/swarm/compose/schema/shape.js';
import { readYaml } from '../../harness/platform/swarm/compose/source/read-yaml.js';
import type { SourceValue } from '../../harness/platform/swarm/compose/source/value.js';
import { packageRoot } from '../support/package-root.js';
import { casesIn } from '../support/swarm/cases.js';

/** An engine looks half a minute for a plugin that it does not have; a unit test has the conversion. */
const untestable = ['.secrets.*.driver', '.secrets.*.driver_opts'];

test('every key, in every form', () => {
  const seen = new Set<string>();
  for (const { paths, environment } of casesIn(join(packageRoot, 'tests/engine/corpus'))) {
    for (const path of paths) {
      const findings = new Findings();
      const file = readYaml(readFileSync(path, 'utf8'), path, findings);
      if (file !== undefined)
        collect(
          interpolate(file, (name) => environment[name], findings),
          composeFile,
          '',
          seen,
        );
    }
  }
  expect(formsOf(composeFile, '').filter((form) => !seen.has(form))).toEqual(untestable);
});

/** `services.*.ports[]: text` and so on, for every alternative of every key. */
function formsOf(shape: Shape, path: string): readonly string[] {
  switch (shape.kind) {
    case 'record':
      return Object.entries(shape.keys).flatMap(([key, { shape: inner }]) => [
        `${path}.${key}`,
        ...formsOf(inner, `${path}.${key}`),
      ]);
    case 'table':
      return formsOf(shape.of, `${path}.*`);
    case 'list':
      return formsOf(shape.of, `${path}[]`);
    case 'either':
      return shape.of.flatMap((each) => [`${path}: ${each.kind}`, ...formsOf(each, path)]);
    default:
      return [];
  }
}

function collect(value: SourceValue, shape: Shape, path: string, seen: Set<string>): void {
  if (shape.kind === 'either') {
    const chosen = shape.of.find((each) => fits(value, each));
    if (chosen === undefined) return;
    seen.add(`${path}: ${chosen.kind}`);
    collect(value, chosen, path, seen);
  } else if (shape.kind === 'list' && value.kind === 'list') {
    for (const item of value.items) collect(item, shape.of, `${path}[]`, seen);
  } else if (shape.kind === 'table' && value.kind === 'map') {
    for (const { value: inner } of value.entries.values()) collect(inner, shape.of, `${path}.*`, seen);
  } else if (shape.kind === 'record' && value.kind === 'map') {
    for (const [key, { value: inner }] of value.entries) {
      const known = shape.keys[key];
      if (known === undefined) continue;
      seen.add(`${path}.${key}`);
      collect(inner, known.shape, `${path}.${key}`, seen);
    }
  }
}
