import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where package.json is: the checkout, whatever folder the compiled tests run from. */
export const packageRoot: string = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

/** The folder the compiled programs are in; they come from the same build as the tests. */
export const buildRoot: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function findPackageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json above the tests');
  return findPackageRoot(parent);
}
