/** Where commands keep what the next ones need: names of images, tokens, rendered files. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = '.swarmbench';

/** Made when it is not there; it holds tokens, so git and others are kept out. */
export function stateFolder(cwd: string): string {
  const folder = join(cwd, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ignore = join(folder, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  return folder;
}

/** Names of images as `swarmbench images` made them last, for `up`. */
export function imagesFile(cwd: string): string {
  return join(cwd, FOLDER, 'images.env');
}

export function writeImagesFile(cwd: string, environment: Readonly<Record<string, string>>): string {
  const file = join(stateFolder(cwd), 'images.env');
  writeFileSync(
    file,
    Object.entries(environment)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return file;
}

export function readIfThere(file: string): Buffer | undefined {
  return existsSync(file) ? readFileSync(file) : undefined;
}
