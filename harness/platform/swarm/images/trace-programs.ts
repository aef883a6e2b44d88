import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ImageError } from './image-error.js';

interface TracedProgram {
  /** Absolute paths, sorted. */
  readonly files: readonly string[];
  /** Absolute folders of packages, sorted, with those that packages depend on. */
  readonly packages: readonly string[];
}

/** Imports as the compiler writes them. The last alternative is for worker threads. */
const imports = new RegExp(
  [
    /(?:^|[\s;}])(?:import|export)\s*(?:[^'"();]*?\sfrom\s*)?['"]([^'"\n]+)['"]/,
    /\bimport\(\s*['"]([^'"\n]+)['"]/,
    /new URL\(\s*['"](\.{1,2}\/[^'"\n]+\.js)['"]\s*,\s*import\.meta\.url/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/**
 * The files and packages that compiled programs consist of.
 * @throws ImageError BUNDLE_INCOMPLETE when an imported file or package is missing
 */
export function tracePrograms(entries: readonly string[]): TracedProgram {
  const files = new Set<string>();
  const packages = new Set<string>();
  for (const entry of entries) traceFile(entry, 'the image needs it', files, packages);
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function traceFile(file: string, reason: string, files: Set<string>, packages: Set<string>): void {
  if (files.has(file)) return;
  if (!existsSync(file))
    throw new ImageError('BUNDLE_INCOMPLETE', `${file} is missing (${reason})`, 'build the project: npm run build');
  files.add(file);
  const text = withoutComments(readFileSync(file, 'utf8'));
  for (const [, fixed, dynamic, url] of text.matchAll(imports)) {
    const specifier = fixed ?? dynamic ?? url ?? '';
    if (specifier.startsWith('.')) traceFile(join(dirname(file), specifier), `${file} imports it`, files, packages);
    else if (!specifier.startsWith('node:')) tracePackage(nameOf(specifier), file, packages);
  }
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Leaves out optional dependencies: they are native speed-ups that would tie the image to this machine's platform. */
function tracePackage(name: string, importer: string, packages: Set<string>): void {
  // Some JavaScript packages depend on the types of others.
  if (name.startsWith('@types/')) return;
  const folder = findPackage(name, dirname(importer));
  if (folder === undefined)
    throw new ImageError(
      'BUNDLE_INCOMPLETE',
      `package ${name} is not installed (${importer} needs it)`,
      'install the packages: npm ci',
    );
  if (packages.has(folder)) return;
  packages.add(folder);
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  const inside = join(folder, 'package.json');
  for (const dependency of Object.keys(dependencies)) tracePackage(dependency, inside, packages);
  // A peer that is not installed is optional.
  for (const peer of Object.keys(peerDependencies))
    if (findPackage(peer, folder) !== undefined) tracePackage(peer, inside, packages);
}

/** Where Node would find it: in `node_modules` of this folder or of a folder above. */
function findPackage(name: string, from: string): string | undefined {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return realpathSync(folder);
  const parent = dirname(from);
  return parent === from ? undefined : findPackage(name, parent);
}

function nameOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** The path of a file from a folder, with forward slashes. @throws ImageError when the file is outside */
export function placeBelow(folder: string, file: string): string {
  const place = relative(folder, file);
  if (place.startsWith('..'))
    throw new ImageError(
      'BUNDLE_INCOMPLETE',
      `${file} is outside of ${folder}`,
      'install the packages in the project itself: npm ci',
    );
  return place.split('\\').join('/');
}
