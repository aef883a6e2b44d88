/** CONTRIBUTING.md and ARCHITECTURE.md name files; a reader must find them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../support/package-root.js';

function textOf(document: string): string {
  return readFileSync(join(packageRoot, document), 'utf8');
}

/** Paths from the package root that stand in code spans: with a slash, and without patterns or placeholders. */
function pathsIn(text: string): readonly string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
  return spans.filter((span) => /^(?:client-sim|harness|scenarios|swarm|monitoring|tests|tools)\/[\w./-]*$/.test(span));
}

describe.each(['CONTRIBUTING.md', 'ARCHITECTURE.md'])('%s', (document) => {
  test('names files and folders that exist', () => {
    const paths = pathsIn(textOf(document));
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !existsSync(join(packageRoot, path)))).toEqual([]);
  });
});

test('CONTRIBUTING.md has the five recipes, each with at least two places', () => {
  const recipes = textOf('CONTRIBUTING.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0], (section.match(/^\d+\. `/gm) ?? []).length] as const);
  expect(recipes.map(([name]) => name)).toEqual([
    'A command',
    'A report section',
    'A transport',
    'A fault kind',
    'A misbehaviour',
  ]);
  for (const [, places] of recipes) expect(places).toBeGreaterThanOrEqual(2);
});

test('a path that does not exist is found', () => {
  expect(pathsIn('see `harness/cli/commands/no-such.ts` and `npm test`, `client-sim/{load,mcp}`')).toEqual([
    'harness/cli/commands/no-such.ts',
  ]);
  expect(existsSync(join(packageRoot, 'harness/cli/commands/no-such.ts'))).toBe(false);
});
