import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildRoot, packageRoot } from '../../../../tests/support/package-root.js';
import { tempFolder } from '../../../../tests/support/temp-folder.js';
import { makeBundle } from './bundle.js';
import { OWN_IMAGES, type OwnImageName } from './own-images.js';
import { tracePrograms } from './trace-programs.js';

const places = { packageRoot, buildRoot: join(buildRoot, '/') };

function filesOf(image: OwnImageName): readonly string[] {
  const found = OWN_IMAGES.find(({ name }) => name === image);
  if (found === undefined) throw new Error(image);
  return [...makeBundle(found, places).files.keys()];
}

describe("an image's bundle", () => {
  test.each(OWN_IMAGES.map(({ name }) => name))(
    'of %s has programs and packages, and nothing that only building and testing need',
    (name) => {
      const files = filesOf(name);
      expect(files).toEqual(expect.arrayContaining(['Dockerfile', 'answers.sh', 'package.json']));
      expect(
        files.filter((file) =>
          /^node_modules\/(?:typescript|jest|@jest|@types)\/|\.(?:test\.js|d\.ts|map)$|^dist\/.*\/testing\//.test(file),
        ),
      ).toEqual([]);
    },
  );

  test('of the worker has the threads that it starts by path, and no controller', () => {
    const files = filesOf('client-sim');
    expect(files).toContain('dist/client-sim/threads/engine-thread.js');
    expect(files.filter((file) => file.startsWith('dist/harness/'))).toEqual([]);
  });

  test('of the harness has the scenarios', () => {
    expect(filesOf('harness')).toEqual(
      expect.arrayContaining(['scenarios/smoke.yaml', 'scenarios/profiles/normal.yaml']),
    );
  });

  test('has the same digest each time, and another for another program', () => {
    const [harness, worker] = OWN_IMAGES;
    expect(makeBundle(worker, places).digest).toBe(makeBundle(worker, places).digest);
    expect(makeBundle(worker, places).digest).not.toBe(makeBundle(harness, places).digest);
  });
});

describe('a program consists of', () => {
  function project(files: Readonly<Record<string, string>>): string {
    const folder = tempFolder();
    for (const [place, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, place)), { recursive: true });
      writeFileSync(join(folder, place), text);
    }
    return folder;
  }
  const main = (text: string, others: Readonly<Record<string, string>> = {}): string =>
    project({ 'main.js': text, ...others });
  const traced = (folder: string): readonly string[] => {
    const { files, packages } = tracePrograms([join(folder, 'main.js')]);
    return [...files, ...packages].map((path) => path.slice(folder.length + 1));
  };

  test.each([
    ['imports', "import { x } from './other.js';"],
    ['imports over several lines', "import {\n  x,\n} from './other.js';"],
    ['imports for their side effects', "import './other.js';"],
    ['imports of JSON', "import x from './other.js' with { type: 'json' };"],
    ['re-exports', "export * from './other.js';"],
    ['dynamic imports', "const load = () => import('./other.js');"],
    ['threads', "new Worker(new URL('./other.js', import.meta.url))"],
  ])('%s', (_, text) => {
    expect(traced(main(text, { 'other.js': '' }))).toEqual(['main.js', 'other.js']);
  });

  test('packages, and the packages that those need, nearest first', () => {
    const manifest = (dependencies: object, optionalDependencies: object = {}): string =>
      JSON.stringify({ dependencies, optionalDependencies });
    const folder = main("import a from 'a'; import s from '@s/b/deep.js'; import fs from 'node:fs';", {
      'node_modules/a/package.json': manifest({ c: '1' }),
      'node_modules/a/node_modules/c/package.json': manifest({}),
      'node_modules/c/package.json': manifest({}),
      'node_modules/@s/b/package.json': manifest({ c: '2' }, { native: '1' }),
    });
    expect(traced(folder)).toEqual([
      'main.js',
      'node_modules/@s/b',
      'node_modules/a',
      'node_modules/a/node_modules/c',
      'node_modules/c',
    ]);
  });

  test('nothing that a comment imports', () => {
    expect(traced(main("// import './other.js'\n/* import './third.js'; */"))).toEqual(['main.js']);
  });

  test('files that exist; otherwise the error names the importer', () => {
    expect(() => traced(main("import './gone.js';"))).toThrow(/gone\.js is missing \(.*main\.js imports it\)/);
    expect(() => traced(main("import 'nobody-has-this';"))).toThrow(/package nobody-has-this is not installed/);
  });
});
