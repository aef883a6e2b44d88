/** The content of our own images: compiled programs, the packages they use, and the files they read. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { ImageError } from './image-error.js';
import type { OwnImage } from './own-images.js';
import { placeBelow, tracePrograms } from './trace-programs.js';

export interface Places {
  /** The folder of package.json, node_modules, the scenarios and the Dockerfiles. */
  readonly packageRoot: string;
  /** The folder of the compiled programs. */
  readonly buildRoot: string;
}

export interface Bundle {
  /** By path in the build context. */
  readonly files: ReadonlyMap<string, BundledFile>;
  /** Changes with the path or the content of any file. */
  readonly digest: string;
}

type BundledFile = { readonly from: string } | { readonly text: string };

/** @throws ImageError BUNDLE_INCOMPLETE */
export function makeBundle(image: OwnImage, { packageRoot, buildRoot }: Places): Bundle {
  const program = tracePrograms(image.entries.map((entry) => join(buildRoot, entry)));
  const images = join(packageRoot, 'swarm', 'images');
  const files = new Map<string, BundledFile>([
    ...program.files.map((from) => [`dist/${placeBelow(buildRoot, from)}`, { from }] as const),
    ...placesOf(program.packages, packageRoot).flatMap(([place, folder]) =>
      packageFiles(folder).map((from) => [`${place}/${placeBelow(folder, from)}`, { from }] as const),
    ),
    ...image.data
      .flatMap((folder) => yamlFiles(join(packageRoot, folder)))
      .map((from) => [placeBelow(packageRoot, from), { from }] as const),
    ['package.json', { text: runtimeManifest(packageRoot) }],
    ['Dockerfile', { from: join(images, image.name, 'Dockerfile') }],
    ['answers.sh', { from: join(images, 'answers.sh') }],
  ]);
  return { files, digest: digestOf(files) };
}

/**
 * Where each package goes. Where swarmbench itself was installed by npm, packages stand beside it; in the image they
 * stand below it, as in a checkout.
 * @throws ImageError BUNDLE_INCOMPLETE
 */
function placesOf(
  folders: readonly string[],
  packageRoot: string,
): readonly (readonly [place: string, folder: string])[] {
  const beside = dirname(realpathSync(packageRoot));
  const places = new Map<string, string>();
  for (const folder of folders) {
    const isBeside = basename(beside) === 'node_modules' && !isBelow(realpathSync(packageRoot), folder);
    const place = isBeside ? `node_modules/${placeBelow(beside, folder)}` : placeBelow(packageRoot, folder);
    if (places.has(place))
      throw new ImageError(
        'BUNDLE_INCOMPLETE',
        `${folder} and ${places.get(place)} are two versions of one package`,
        'install swarmbench in a folder of its own, or globally',
      );
    places.set(place, folder);
  }
  return [...places];
}

function isBelow(folder: string, path: string): boolean {
  return !relative(folder, path).startsWith('..');
}

/** Writes the build context. @param folder must be empty */
export function writeBundle({ files }: Bundle, folder: string): void {
  for (const [place, file] of files) {
    const target = join(folder, place);
    mkdirSync(dirname(target), { recursive: true });
    if ('text' in file) writeFileSync(target, file.text);
    else copyFileSync(file.from, target);
  }
}

/** Types, sources, source maps and prose: a third of the bytes of packages, and never executed. Licences are kept. */
const neverRun = /\.(?:map|ts|cts|mts|md|markdown|flow|tsbuildinfo)$/i;
const licence = /^(?:licen[cs]e|notice|copying)/i;
/** At the top of a package. */
const unusedFolders = new Set([
  'node_modules',
  'test',
  'tests',
  'docs',
  'example',
  'examples',
  'benchmark',
  'benchmarks',
  '.github',
]);

function packageFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return unusedFolders.has(entry.name) ? [] : filesBelow(path);
      return [path];
    })
    .filter((file) => licence.test(file.slice(file.lastIndexOf('/') + 1)) || !neverRun.test(file));
}

function yamlFiles(folder: string): readonly string[] {
  return filesBelow(folder).filter((file) => file.endsWith('.yaml'));
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The keys of package.json that Node and the programs read. */
function runtimeManifest(packageRoot: string): string {
  const { name, version, license, type } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;
  return `${JSON.stringify({ name, version, license, type, private: true }, undefined, 2)}\n`;
}

function digestOf(files: ReadonlyMap<string, BundledFile>): string {
  const whole = createHash('sha256');
  for (const [place, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const content = 'text' in file ? file.text : readFileSync(file.from);
    whole.update(`${place}\0${createHash('sha256').update(content).digest('hex')}\n`);
  }
  return whole.digest('hex');
}
