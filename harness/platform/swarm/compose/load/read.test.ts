import { expect, test } from '@jest/globals';
import { absolutePath, isWindowsAbsolute } from './read.js';

test('paths are joined and cleaned, absolute ones are left alone', () => {
  expect(absolutePath('/a/b', './c/../d/')).toBe('/a/b/d');
  expect(absolutePath('/a/b', '/x/../y')).toBe('/x/../y');
  expect(['C:\\x', 'c:/x', '\\\\server\\share\\x'].map(isWindowsAbsolute)).toEqual([true, true, true]);
  expect(['c:x', '/x', '\\\\server', 'x'].map(isWindowsAbsolute)).toEqual([false, false, false, false]);
});
