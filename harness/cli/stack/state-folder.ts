/** The folder where commands keep what later ones need: names of images, tokens, rendered files. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = '.swarmbench';

/** Created if missing. It holds tokens, so git and other users are kept out. */
export function stateFolder(cwd: string): string {
  const folder = join(cwd, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ignore = join(folder, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  return folder;
}

/** The names of the images that `swarmbench images` made last; `up` reads them. */
export function imagesFile(cwd: string): string {
  return join(cwd, FOLDER, 'images.env');
}

/** Sets these variables in the file and keeps its other lines. Returns the path. */
export function writeImagesFile(cwd: string, environment: Readonly<Record<string, string>>): string {
  stateFolder(cwd);
  const file = imagesFile(cwd);
  const kept = (readIfThere(file)?.toString() ?? '')
    .split('\n')
    .filter((line) => line !== '' && !Object.hasOwn(environment, line.split('=')[0] ?? ''));
  const written = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  writeFileSync(file, [...kept, ...written].map((line) => `${line}\n`).join(''));
  return file;
}

export function readIfThere(file: string): Buffer | undefined {
  return existsSync(file) ? readFileSync(file) : undefined;
}
