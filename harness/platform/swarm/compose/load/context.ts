import type { Lookup } from '../interpolate/substitute.js';
import type { Findings } from '../problem.js';

/** What reading a file needs beside its text. */
export interface LoadContext {
  /** Absolute folder of the first file: relative paths of all files start there. */
  readonly folder: string;
  readonly lookup: Lookup;
  /** Content of a file, or why it cannot be read. */
  readonly readFile: ReadFile;
  readonly findings: Findings;
}

export type ReadFile = (path: string) => FileContent;

export type FileContent =
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | { readonly kind: 'unreadable'; readonly reason: string };
