/** Reads files for this room, behind an interface, so that tests and the controller can bring files of their own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ScenarioIo {
  /** Undefined when there is no such file. */
  readText(file: string): string | undefined;
  /** Names of the files in a folder; empty when there is no such folder. */
  list(folder: string): readonly string[];
}

export const diskIo: ScenarioIo = {
  readText(file) {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  list(folder) {
    try {
      return readdirSync(folder).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
};

/** The folder of the scenarios that come with the program. */
export function shippedFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'scenarios');
}

/** The path that people see: relative where the file is below the current folder. */
export function shownPath(file: string): string {
  const short = relative('', file);
  return short === '' || short.startsWith('..') ? file : short;
}

function isMissing(error: unknown): boolean {
  // Not `instanceof Error`: under jest, errors of Node's own modules are from another realm.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}
