/** The corpus: one compose file, or a folder of files that are merged in order of their names. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { ComposeInput } from '../../../harness/platform/swarm/compose/compose-to-swarm.js';
import type { FileContent } from '../../../harness/platform/swarm/compose/load/read.js';

export interface ComposeCase {
  readonly name: string;
  readonly paths: readonly string[];
  /** From `x-environment` at the top of the first file, for both sides alike. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @param folder absolute */
export function casesIn(folder: string): readonly ComposeCase[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const paths = statSync(path).isDirectory()
        ? readdirSync(path)
            .sort()
            .map((file) => join(path, file))
        : [path];
      const files = paths.filter((file) => file.endsWith('.yml'));
      return files.length === 0 ? [] : [{ name, paths: files, environment: environmentOf(files[0] ?? '') }];
    });
}

export function inputOf({ paths, environment }: ComposeCase, stack: string): ComposeInput {
  return {
    stack,
    files: paths.map((path) => ({ file: path, text: readFileSync(path, 'utf8') })),
    folder: dirname(paths[0] ?? ''),
    environment,
    readFile,
  };
}

export function readFile(path: string): FileContent {
  try {
    return { kind: 'content', bytes: readFileSync(path) };
  } catch (error) {
    return { kind: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  }
}

function environmentOf(path: string): Readonly<Record<string, string>> {
  const line = /^x-environment: .*$/m.exec(readFileSync(path, 'utf8'))?.[0];
  return line === undefined
    ? {}
    : (parse(line) as { readonly 'x-environment': Readonly<Record<string, string>> })['x-environment'];
}
