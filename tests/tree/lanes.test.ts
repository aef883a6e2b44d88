/** No test is lost between the lanes of `npm test`, and none runs twice. */
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../support/package-root.js';

interface Lane {
  readonly name: string;
  readonly folders: readonly string[];
}

interface Lanes {
  readonly LANES: readonly Lane[];
  readonly STEPS: readonly (readonly (readonly string[])[])[];
  readonly patternOf: (lane: Lane, root: string) => string;
}

const { LANES, STEPS, patternOf } = (await import(
  pathToFileURL(join(packageRoot, 'tools', 'lanes.mjs')).href
)) as Lanes;

const NOT_SOURCES = new Set(['node_modules', 'dist', '.build', '.git', 'results']);

function testFiles(): readonly string[] {
  return readdirSync(packageRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_SOURCES.has(entry.name))
    .flatMap(({ name }) =>
      readdirSync(join(packageRoot, name), { recursive: true, encoding: 'utf8' }).map((path) => join(name, path)),
    )
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => path.split(sep).join('/'));
}

function lanesOf(path: string): readonly string[] {
  const compiled = `/root/${path.replace(/\.ts$/, '.js')}`;
  return LANES.filter((lane) => new RegExp(patternOf(lane, '/root/')).test(compiled)).map(({ name }) => name);
}

test('every test file is in exactly one lane', () => {
  const files = testFiles();
  expect(files.length).toBeGreaterThan(100);
  expect(files.map((path) => ({ path, lanes: lanesOf(path) })).filter(({ lanes }) => lanes.length !== 1)).toEqual([]);
});

test('a test file beside the folders of the lanes is in none, and a folder belongs to one lane', () => {
  expect(lanesOf('tests/elsewhere/some.test.ts')).toEqual([]);
  expect(lanesOf('harness/api/api.test.ts')).toEqual(['unit']);
  expect(lanesOf('tests/tree/lanes.test.ts')).toEqual(['unit']);
});

test('`npm test` runs every lane once', () => {
  expect(STEPS.flat(2).toSorted()).toEqual(LANES.map(({ name }) => name).toSorted());
});

test('every folder of a lane has test files', () => {
  const files = testFiles();
  const folders = LANES.flatMap((lane) => lane.folders);
  expect(folders.filter((folder) => !files.some((path) => path.startsWith(folder)))).toEqual([]);
});
