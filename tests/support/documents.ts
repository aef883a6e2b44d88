/** The documents for users, and what stands in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.js';

export const pages = readdirSync(join(packageRoot, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
export const forUsers = ['README.md', ...pages, 'scenarios/README.md', 'results/README.md'];

export function textOf(document: string): string {
  return readFileSync(join(packageRoot, document), 'utf8');
}

/** Texts outside code blocks (with language undefined) and code blocks, in order. */
function partsOf(text: string): readonly { readonly language: string | undefined; readonly text: string }[] {
  return text.split(/^```/m).map((part, index) => {
    if (index % 2 === 0) return { language: undefined, text: part };
    const end = part.indexOf('\n');
    return { language: part.slice(0, end), text: part.slice(end + 1) };
  });
}

/** Lines outside code blocks. */
export function proseOf(text: string): readonly string[] {
  return partsOf(text).flatMap((part) => (part.language === undefined ? part.text.split('\n') : []));
}

export function blocksOf(text: string, language: string): readonly string[] {
  return partsOf(text).flatMap((part) => (part.language === language ? [part.text] : []));
}
