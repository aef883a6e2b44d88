import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { packageRoot } from '../support/package-root.js';

/** A source file: its path from the package root, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const notSources: ReadonlySet<string> = new Set(['node_modules', 'dist', 'results']);

/** Every file of the package with one of these extensions, but not what was installed, built or measured. */
export function sourceFiles(extensions: readonly string[]): readonly SourceFile[] {
  return pathsBelow(packageRoot)
    .filter((path) => extensions.some((extension) => path.endsWith(extension)))
    .map((path) => ({
      path: relative(packageRoot, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    }));
}

function pathsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
    const isSource = !entry.name.startsWith('.') && !notSources.has(entry.name);
    return isSource ? pathsBelow(path) : [];
  });
}
