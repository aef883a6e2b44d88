/** What the documents promise: links lead somewhere, commands exist, examples are valid, quoted messages are real. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { commands } from '../../harness/cli/commands/commands.js';
import { testHost } from '../support/cli/test-host.js';
import { blocksOf, forUsers, pages, proseOf, textOf } from '../support/documents.js';
import { packageRoot } from '../support/package-root.js';
import { planOf } from '../support/scenarios/files.js';
import { sourceFiles } from './source-files.js';

const documents = [...forUsers, 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
/** Made from the schema, so its length follows from that. */
const generated = 'docs/scenario-reference.md';

function linesOf(document: string): number {
  return textOf(document).trimEnd().split('\n').length;
}

describe('the length of', () => {
  test('README.md is at most 120 lines', () => {
    expect(linesOf('README.md')).toBeLessThanOrEqual(120);
  });

  test.each(pages.filter((page) => page !== generated))('%s is 80 to 200 lines', (page) => {
    expect(linesOf(page)).toBeGreaterThanOrEqual(80);
    expect(linesOf(page)).toBeLessThanOrEqual(200);
  });

  test('a line of prose is at most 140 columns', () => {
    const long = forUsers
      .filter((document) => document !== generated)
      .flatMap((document) => proseOf(textOf(document)).map((line) => ({ document, line })))
      .filter(({ line }) => line.length > 140 && !line.startsWith('|'));
    expect(long).toEqual([]);
  });
});

test('README.md names every page of docs/', () => {
  const readme = textOf('README.md');
  expect(pages.filter((page) => !readme.includes(`](${page})`))).toEqual([]);
});

test('the picture in README.md is at most 150 kB', () => {
  expect(statSync(join(packageRoot, 'docs/images/report.png')).size).toBeLessThanOrEqual(150_000);
});

describe('links', () => {
  test.each(documents)('of %s lead to files and headings that exist', (document) => {
    expect(linksIn(textOf(document)).filter((link) => !leadsSomewhere(document, link))).toEqual([]);
  });

  test.each(['docs/no-such.md', 'docs/capacity.md#no-such', '#no-such'])('to %s would be found', (link) => {
    expect(leadsSomewhere('README.md', link)).toBe(false);
  });
});

describe('commands', () => {
  const named = forUsers.flatMap((document) =>
    invocationsIn(textOf(document)).map((line) => [document, line] as const),
  );

  test('are named in the documents', () => {
    expect(new Set(named.map(([, line]) => line.split(' ')[1])).size).toBeGreaterThan(12);
  });

  test.each(named)('%s: %s', async (_, line) => {
    expect(await problemsOf(line)).toEqual([]);
  });

  test.each(Object.keys(commands))('the examples of `%s --help` have its options only', async (name) => {
    const { examples } = await (commands[name] as (typeof commands)[string]).load();
    for (const example of examples.filter((line) => line.includes('swarmbench '))) {
      expect(await problemsOf(commandOf(example.replace(/^.*?(?=swarmbench )/, '')))).toEqual([]);
    }
  });

  test.each(['swarmbench nope', 'swarmbench run smoke --nope', 'swarmbench list --set a=b'])(
    '%s would be found',
    async (line) => {
      expect(await problemsOf(line)).not.toEqual([]);
    },
  );
});

const scenarioExamples = forUsers.flatMap((document) =>
  blocksOf(textOf(document), 'yaml')
    .filter((block) => /^name: /m.test(block) && /^stages:/m.test(block))
    .map((block) => [document, /^name: (.*)/m.exec(block)?.[1], block] as const),
);

test.each(scenarioExamples)('the scenario %s: %s is valid', (_document, _name, block) => {
  const plan = planOf(block);
  const insecure = plan.target.kind === 'url' && plan.target.tls?.insecure === true;
  expect(plan.warnings).toEqual(insecure ? [expect.stringContaining('(insecure)')] : []);
});

test('messages that docs/troubleshooting.md quotes are messages of the code', () => {
  const code = joined(sourceFiles(['.ts', '.mjs']).filter(({ path }) => !path.includes('.test.')));
  const parts = messagesIn(textOf('docs/troubleshooting.md')).flatMap((message) => message.split('...'));
  const quoted = parts.map((part) => part.trim()).filter((part) => part !== '');
  expect(quoted.length).toBeGreaterThan(25);
  expect(quoted.filter((part) => !code.includes(part))).toEqual([]);
});

/** Targets within the repository. */
function linksIn(text: string): readonly string[] {
  return [
    ...proseOf(text)
      .join('\n')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^https?:/.test(target));
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const file = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(packageRoot, file))) return false;
  return heading === undefined || headingsOf(textOf(file)).includes(heading);
}

/** As GitHub makes them. */
function headingsOf(text: string): readonly string[] {
  return proseOf(text)
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

/** `./swarmbench ...` in code blocks and code spans. */
function invocationsIn(text: string): readonly string[] {
  const code = [
    ...['', 'yaml'].flatMap((language) => blocksOf(text, language)).flatMap((block) => block.split('\n')),
    ...proseOf(text).flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, span]) => span ?? '')),
  ];
  return code
    .flatMap((line) => [...line.matchAll(/\.\/(swarmbench [a-z].*)/g)])
    .map(([, found]) => commandOf(found ?? ''));
}

/** Without a comment, an explanation behind two spaces, the command of a server, and what follows in a pipeline. */
function commandOf(line: string): string {
  return line.replace(/\s(?:\s|#|>|\||&&|-- ).*/, '').trim();
}

/** Unknown commands and options. */
async function problemsOf(line: string): Promise<readonly string[]> {
  const [name = '', ...rest] = line.replace(/^swarmbench /, '').split(/\s+/);
  if (name === 'COMMAND') return [];
  const entry = commands[name];
  if (entry === undefined) return [`there is no command ${name}`];
  const command = new Command(name);
  (await entry.load()).declare(command, testHost([]), () => undefined);
  const known = new Set([...command.options.flatMap(({ long, short }) => [long, short]), ...['--help', '--no-color']]);
  return rest
    .map((word) => /^(--?[a-z][\w-]*)/.exec(word)?.[1])
    .filter((option) => option !== undefined && !known.has(option))
    .map((option) => `${name} has no option ${option}`);
}

/** The code spans in the first columns of the tables whose head is a message. */
function messagesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\| (?:message|reason in the report) \|.*\n(?:\|.*\n)+/gm)].flatMap(([table]) =>
    table.split('\n').flatMap((row) => /^\| (`+)(.*?)\1/.exec(row)?.[2] ?? []),
  );
}

/** Source text with the parts of long strings put together. */
function joined(files: readonly { readonly text: string }[]): string {
  return files.map(({ text }) => text.replace(/['`"] \+\s+['`"]/g, '')).join('\n');
}
