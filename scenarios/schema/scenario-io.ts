/** The only reading this room does, behind a port so that tests and servers can bring their own files. */
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

/** As people see the file: relative where it is below the current folder. */
export function shownPath(file: string): string {
  const short = relative('', file);
  return short === '' || short.startsWith('..') ? file : short;
}

function isMissing(error: unknown): boolean {
  // Not `instanceof Error`: errors of Node's own modules are of another realm where the code runs in a vm (jest).
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}
