/**
 * Every recipe for a server of the user's, in README.md, docs/ and the examples of `--help`, as it stands there,
 * against a server of the official SDK. What is changed: the address, and how long it takes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { FEWEST_TRIALS } from '../../harness/analysis/statistics/median-interval.js';
import { commands } from '../../harness/cli/commands/commands.js';
import { certificateAuthority } from '../support/certificates.js';
import { blocksOf, forUsers, textOf } from '../support/documents.js';
import { once } from '../support/once.js';
import { buildRoot } from '../support/package-root.js';
import { startCommand } from '../support/program.js';
import { readRun } from '../support/run-files.js';

jest.setTimeout(600_000);

const program = 'tests/servers/sdk-server.js';

/** Names a server, or a scenario that does. */
const ofUsers = /--target | --arm | --config | -- |(?:search|my-server|mine)\.yaml/;

/** Recipes that are not run here, with the reason. */
const notHere: readonly (readonly [RegExp, string])[] = [
  [/--on swarm|--controller/, 'they need a stack or a harness: tests/stacks and tests/alone/remote run them'],
  [/--workers-|--workers http/, 'they name workers on other machines: tests/runs/named-workers runs them'],
  [/tcp:\/\//, 'no server of anybody else speaks MCP over a bare connection'],
  [/python/, 'it needs the official SDK of Python, which the tests do not install'],
];

/** Lines that begin with the command, in code blocks; those in prose are the same ones. */
function recipesIn(document: string): readonly string[] {
  return blocksOf(textOf(document), '').flatMap((block) =>
    block.split('\n').flatMap((line) => /^\.\/(swarmbench .*)/.exec(line)?.[1] ?? []),
  );
}

async function recipes(): Promise<readonly string[]> {
  const examples: string[] = [];
  // One after the other: jest cannot link modules that are imported at the same time.
  for (const { load } of Object.values(commands)) examples.push(...(await load()).examples);
  const all = [...forUsers.flatMap(recipesIn), ...examples].map((line) => line.replace(/\s+#.*| {2,}.*/, ''));
  return [...new Set(all)].filter((line) => ofUsers.test(line) && !notHere.some(([pattern]) => pattern.test(line)));
}

/**
 * Shell text that is as quick as a test can be: time runs 100 times as fast, a search ends after one run, and noise is
 * measured with as few trials as it takes.
 */
function quick(script: string): string {
  return script
    .replaceAll(/ --time-scale [\d.]+/g, '')
    .replaceAll(/\bswarmbench (run|capacity|noise)\b/g, 'swarmbench $1 --time-scale 0.01 --workers 1 --threads 1')
    .replaceAll('swarmbench capacity', 'swarmbench capacity --probes 1 --confirm 1')
    .replaceAll(' --arm ', ' --set interleave.settle=1ms --arm ')
    .replaceAll('swarmbench noise', `swarmbench noise --trials ${FEWEST_TRIALS}`)
    .replaceAll(/http:\/\/localhost:(?:3000|8080)/g, new URL(url).origin)
    .replaceAll('https://localhost:8443', new URL(secureUrl).origin);
}

let url: string;
let secureUrl: string;
/** `given` in it holds what a user has; each shell gets a copy. */
let folder: string;
let copies = 0;
const servers: ChildProcess[] = [];

/** For all tests of this file; `startProgram` is for one test. */
async function startServer(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn(process.execPath, [join(buildRoot, program), 'http'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  servers.push(child);
  for await (const chunk of child.stdout) return String(JSON.parse(String(chunk)).listening.url);
  throw new Error('the server ended before it listened');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'recipes-'));
  const authority = certificateAuthority();
  const { cert, key } = authority.issue('server');
  const write = (name: string, text: string): string => {
    const file = join(folder, 'given', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  url = await startServer();
  secureUrl = await startServer({ TLS_CERT: write('cert.pem', cert), TLS_KEY: write('key.pem', key) });
  write('ca.pem', authority.cert);
  write('tokens.txt', 'one\ntwo\n');
  const [entry, main] = [join(buildRoot, program), join(buildRoot, 'harness/cli/main.js')];
  write('server.js', `process.argv[2] = 'stdio';\nimport(${JSON.stringify(entry)});\n`);
  chmodSync(write('swarmbench', `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`), 0o755);
  write('mcp.json', JSON.stringify({ mcpServers: { mine: { url } } }));
  const headers = { Authorization: 'Bearer ${input:token}' };
  write('.vscode/mcp.json', JSON.stringify({ servers: { mine: { type: 'http', url, headers } } }));
  for (const document of forUsers)
    for (const block of blocksOf(textOf(document), 'yaml')) {
      const name = /^name: (.*)/m.exec(block)?.[1];
      if (name !== undefined && /^stages:/m.test(block)) write(`${name}.yaml`, quick(block));
    }
  write('mine.yaml', readFileSync(join(folder, 'given', 'search.yaml'), 'utf8'));
});

afterAll(() => {
  for (const server of servers) server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Shell {
  readonly code: number | NodeJS.Signals;
  readonly output: string;
  /** Where it ran. */
  readonly cwd: string;
}

/** As a CI shell runs it, in a folder of its own: it ends at the first command that fails. */
async function shell(script: string, cwd = copyOfFolder()): Promise<Shell> {
  const env = { TOKEN: 'secret', GITHUB_SHA: 'abc', GITHUB_STEP_SUMMARY: join(cwd, 'summary.md') };
  const ours = script.replaceAll(/(^|\s)swarmbench /g, '$1./swarmbench ');
  const started = startCommand(['bash', '-e', '-c', ours], env, cwd);
  const code = await started.ended;
  return { code, output: `${started.stdout()}${started.stderr()}`, cwd };
}

function copyOfFolder(): string {
  copies += 1;
  const copy = join(folder, `copy-${copies}`);
  cpSync(join(folder, 'given'), copy, { recursive: true });
  return copy;
}

/** Exit codes of a run that came to its end: its verdict is the machine's business. */
const ENDED: readonly unknown[] = [0, 4, 99];

/** Every call that was made was answered. How many could be made in so short a time is the machine's business. */
function expectAnswers(cwd: string): void {
  const { summary } = readRun(join(cwd, 'results')).report;
  expect(summary.failed).toBe(0);
}

// They give the tests their names.
const named = await recipes();

test('there are recipes for every command that takes a server of the user', () => {
  expect(named.length).toBeGreaterThan(20);
  expect(new Set(named.map((line) => line.split(' ')[1]))).toEqual(
    new Set(['run', 'capacity', 'noise', 'discover', 'list', 'validate', 'plan']),
  );
});

/** They mostly wait, so that some run at the same time; all of them within the test that asks first. */
const AT_ONCE = 3;
const shells = once(async () => {
  const ended = new Map<string, Shell>();
  const waiting = [...named];
  const runOne = async (): Promise<void> => {
    for (let line = waiting.shift(); line !== undefined; line = waiting.shift())
      ended.set(line, await shell(quick(line)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runOne));
  return ended;
});

describe('recipe', () => {
  test.each(named)('%s', async (line) => {
    const ended = (await shells()).get(line);
    if (ended === undefined) throw new Error('it was not run');
    const { code, output, cwd } = ended;
    const kind = line.split(' ')[1];
    const expected = ['run', 'capacity', 'noise'].includes(kind ?? '') ? ENDED : [0];
    expect([output, expected.includes(code)]).toEqual([output, true]);
    if (kind === 'run') expectAnswers(cwd);
  });
});

describe('the script for CI in README.md', () => {
  const script = blocksOf(textOf('README.md'), '').find((block) => block.includes('GITHUB_STEP_SUMMARY')) ?? '';

  test('writes the summary and ends as the run did', async () => {
    const { code, cwd } = await shell(quick(script));
    expect(ENDED).toContain(code);
    expectAnswers(cwd);
    expect(summaryIn(cwd)).toMatch(/^## .*: ci$/m);
    expect(readFileSync(join(cwd, 'junit.xml'), 'utf8')).toContain('<testsuite');
  });

  test('writes the summary of a run that failed, too, and fails', async () => {
    const failing = script.replace(' --junit', " --set 'thresholds=[throughput > 1000000/s]' --junit");
    const { code, cwd } = await shell(quick(failing));
    expect([4, 99]).toContain(code);
    expect(summaryIn(cwd)).toMatch(/^## .*: ci$/m);
  });
});

function summaryIn(cwd: string): string {
  return readFileSync(join(cwd, 'summary.md'), 'utf8');
}
