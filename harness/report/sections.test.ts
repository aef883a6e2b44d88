import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { frame } from './frame.js';
import { reportSchema } from './schema.js';
import { sections } from './sections.js';

function keysOf(object: object): string[] {
  return Object.keys(object);
}

test('every section stands in the folder that its id names', () => {
  const folders = sections.map(({ id }) => join(import.meta.dirname, 'sections', id, 'section.js'));
  expect(folders.filter((path) => !existsSync(path))).toEqual([]);
  expect(new Set(folders).size).toBe(sections.length);
});

test('every key of report.json belongs to the frame or to one section', () => {
  const owned = [...keysOf(frame), ...sections.flatMap(({ schema }) => keysOf(schema))];
  expect(new Set(owned).size).toBe(owned.length);
  expect(keysOf(reportSchema.shape).sort()).toEqual(owned.sort());
});
