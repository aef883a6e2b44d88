/** The corpus is complete: it has every key of the format, in every form that the key can have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Findings } from '../../harness/platform/swarm/compose/findings.js';
import { interpolate } from '../../harness/platform/swarm/compose/interpolate.js';
import { accepts } from '../../harness/platform/swarm/compose/schema/check-schema.js';
import { type JsonSchema, NEWEST_FORMAT, schemaOf } from '../../harness/platform/swarm/compose/schema/docker-schema.js';
import { readGoYaml } from '../../harness/platform/swarm/compose/source/go-values.js';
import type { SourceValue } from '../../harness/platform/swarm/compose/source/value.js';
import { packageRoot } from '../support/package-root.js';
import { casesIn } from '../support/swarm/cases.js';

/** An engine looks half a minute for a plugin that it does not have; a unit test covers the conversion. */
const untestable = ['.secrets.*.driver', '.secrets.*.driver_opts'];

test('every key, in every form', () => {
  const schema = schemaOf(NEWEST_FORMAT);
  const forms = formsOf(schema, '');
  expect(forms).toHaveLength(281);
  const seen = new Set<string>();
  for (const { paths, environment } of casesIn(join(packageRoot, 'tests/engine/corpus'))) {
    for (const path of paths) {
      const findings = new Findings();
      const file = readGoYaml(readFileSync(path, 'utf8'), path, findings);
      if (file === undefined) continue;
      collect(
        interpolate(file, (name) => environment[name], findings),
        schema,
        '',
        seen,
      );
    }
  }
  expect(forms.filter((form) => !seen.has(form))).toEqual(untestable);
});

/** `.services.*.ports[]: string` and so on, for every alternative of every key. */
function formsOf(schema: JsonSchema, path: string): readonly string[] {
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 1)
    return alternatives.flatMap((each) => [`${path}: ${String(each.type)}`, ...formsOf(each, path)]);
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
      `${path}.${key}`,
      ...formsOf(inner, `${path}.${key}`),
    ]),
    ...namedOf(schema).flatMap((inner) => formsOf(inner, `${path}.*`)),
    ...(schema.items === undefined ? [] : formsOf(schema.items, `${path}[]`)),
  ];
}

function collect(value: SourceValue, schema: JsonSchema, path: string, seen: Set<string>): void {
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 1) {
    const chosen = alternatives.find((each) => accepts([each], value));
    if (chosen === undefined) return;
    seen.add(`${path}: ${String(chosen.type)}`);
    collect(value, chosen, path, seen);
  } else if (value.kind === 'list' && schema.items !== undefined) {
    for (const item of value.items) collect(item, schema.items, `${path}[]`, seen);
  } else if (value.kind === 'map') {
    const properties = new Map(Object.entries(schema.properties ?? {}));
    for (const [key, { value: inner }] of value.entries) {
      const known = properties.get(key);
      if (known !== undefined) {
        seen.add(`${path}.${key}`);
        collect(inner, known, `${path}.${key}`, seen);
      } else for (const named of namedOf(schema)) collect(inner, named, `${path}.*`, seen);
    }
  }
}

/** Schemas of values under keys that the user names. */
function namedOf({ patternProperties = {} }: JsonSchema): readonly JsonSchema[] {
  return Object.entries(patternProperties).flatMap(([pattern, inner]) => (pattern === '^x-' ? [] : [inner]));
}

/** One schema for each type that can be written here, but one for text and numbers that become labels and options. */
function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  const { type = [], oneOf = [], format } = schema;
  if (oneOf.length > 0) return oneOf.flatMap(alternativesOf);
  const isPrinted = type.includes('string') && type.includes('number') && format === undefined;
  if (typeof type === 'string' || isPrinted) return [schema];
  return type.map((each) => (each === 'object' || each === 'array' ? { ...schema, type: each } : { type: each }));
}
