import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../../tests/support/package-root.js';
import { loadSdk } from './load-sdk.js';

/** By file: the modules that it imports statically, for more than their types. */
function staticImports(): ReadonlyMap<string, readonly string[]> {
  const folder = join(packageRoot, 'client-sim');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('testing'),
  );
  return new Map(
    files.map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return [
        name,
        [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+'([^']+)'/gm)].map(
          ([, specifier]) => specifier ?? '',
        ),
      ];
    }),
  );
}

test('only the SDK transport loads an SDK, and only it and the worker load its fetch', () => {
  const imports = staticImports();
  expect(imports.size).toBeGreaterThan(100);
  const heavy = [...imports]
    .filter(([, specifiers]) => specifiers.some((one) => one === 'undici' || one.startsWith('@modelcontextprotocol/')))
    .map(([name]) => name);
  expect(heavy.sort()).toEqual([
    ...['sdk-fetch.ts', 'session-client.ts', 'session-sockets.ts', 'stateless-client.ts'].map((name) =>
      join('transport', 'sdk', name),
    ),
    // On the worker's main thread, not on engine threads.
    join('worker', 'controller-http.ts'),
  ]);
  const loaders = [...imports]
    .filter(([, specifiers]) =>
      specifiers.some((one) => /(?:sdk-fetch|session-client|session-sockets|stateless-client)\.js$/.test(one)),
    )
    .map(([name]) => name);
  expect(loaders).toEqual([]);
});

test('each SDK is loaded once', async () => {
  const first = loadSdk('legacy');
  expect(loadSdk('legacy')).toBe(first);
  const { createOfficialClient } = await first;
  expect((await loadSdk('modern')).createOfficialClient).not.toBe(createOfficialClient);
});
