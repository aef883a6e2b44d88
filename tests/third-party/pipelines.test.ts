/**
 * The GitHub Action and the GitLab job, step by step in a shell as a runner does it, with a server that is not ours.
 * What only the services can do is done here: artifacts are folders, `gh` is a script, GitLab's API is a server.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { blocksOf, textOf } from '../support/documents.js';
import { buildRoot, packageRoot } from '../support/package-root.js';
import { startCommand } from '../support/program.js';
import { until } from '../support/until.js';

jest.setTimeout(300_000);

const require = createRequire(import.meta.url);
const everything = join(
  dirname(require.resolve('@modelcontextprotocol/server-everything/package.json')),
  'dist/index.js',
);
const QUICK = '--time-scale 0.05 --set repeat=1 --workers 1 --threads 1';
/** Exit codes of a run that came to its end: its verdict is the machine's business. */
const ENDED: readonly unknown[] = [0, 4, 99];

let folder: string;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pipelines-'));
  port = await freePort();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: found } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return found;
}

async function isFree(): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/mcp`).then(
    () => false,
    () => true,
  );
}

function write(path: string, text: string, mode = 0o644): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

interface ShellResult {
  readonly code: number | NodeJS.Signals;
  readonly output: string;
}

/** As both services run a script. */
async function shell(script: string, env: Readonly<Record<string, string>>, cwd: string): Promise<ShellResult> {
  const started = startCommand(['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', script], env, cwd);
  const code = await started.ended;
  return { code, output: `${started.stdout()}${started.stderr()}` };
}

const action = z
  .object({
    inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
    outputs: z.record(z.string(), z.object({ value: z.string() })),
    runs: z.object({
      using: z.literal('composite'),
      steps: z.array(
        z.strictObject({
          name: z.string(),
          id: z.string().optional(),
          if: z.literal('always()').optional(),
          shell: z.literal('bash').optional(),
          uses: z.literal('actions/upload-artifact@v4').optional(),
          with: z.record(z.string(), z.unknown()).optional(),
          env: z.record(z.string(), z.string()).optional(),
          run: z.string().optional(),
        }),
      ),
    }),
  })
  .parse(parse(readFileSync(join(packageRoot, 'action.yml'), 'utf8')));

interface Job {
  readonly code: number | NodeJS.Signals;
  readonly output: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly results: string;
}

/** Runs the action in a job of its own. @param name of its folder */
async function runAction(name: string, given: Readonly<Record<string, string>>): Promise<Job> {
  const temp = join(folder, name);
  const files = { summary: join(temp, 'summary.md'), output: join(temp, 'output') };
  mkdirSync(temp);
  writeFileSync(files.summary, '');
  const known = new Map<string, string>([
    ['github.action_path', packageRoot],
    ['github.workflow', 'benchmark'],
    ['github.repository', 'somebody/server'],
    ['github.token', 'token'],
    ['github.event.repository.default_branch', 'main'],
  ]);
  const evaluate = (text: string): string =>
    text.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, expression: string) =>
      expression.split(' || ').reduce((found, one) => (found === '' ? (known.get(one) ?? '') : found), ''),
    );
  for (const [input, { default: usual = '' }] of Object.entries(action.inputs))
    known.set(`inputs.${input}`, given[input] ?? evaluate(usual));
  for (const input of Object.keys(given)) if (!(input in action.inputs)) throw new Error(`there is no input ${input}`);

  let code: number | NodeJS.Signals = 0;
  let output = '';
  for (const step of action.runs.steps) {
    if (code !== 0 && step.if === undefined) continue;
    if (step.uses !== undefined) {
      upload(evaluate(String(step.with?.name)), evaluate(String(step.with?.path)).trim().split('\n'));
      continue;
    }
    writeFileSync(files.output, '');
    const env = {
      ...Object.fromEntries(Object.entries(step.env ?? {}).map(([key, value]) => [key, evaluate(value)])),
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_SHA: 'abc',
      RUNNER_TEMP: temp,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    };
    const ran = await shell(step.run ?? '', env, temp);
    output += `## ${step.name}\n${ran.output}`;
    if (code === 0) code = ran.code;
    for (const line of readFileSync(files.output, 'utf8').split('\n').filter(Boolean)) {
      const [key = '', ...value] = line.split('=');
      known.set(`steps.${step.id}.outputs.${key}`, value.join('='));
    }
  }
  const outputs = Object.fromEntries(Object.entries(action.outputs).map(([key, { value }]) => [key, evaluate(value)]));
  return { code, output, outputs, summary: readFileSync(files.summary, 'utf8'), results: join(temp, 'swarmbench') };
}

/** What `actions/upload-artifact` does with a folder, and with lines that begin with `!`. */
function upload(name: string, [from = '', ...lines]: readonly string[]): void {
  const left = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1).replace(/\/\*\*$/, ''));
  rmSync(join(folder, 'artifacts', name), { recursive: true, force: true });
  if (!existsSync(from)) return;
  cpSync(from, join(folder, 'artifacts', name), {
    recursive: true,
    dereference: true,
    filter: (path) => !left.some((one) => path === one || path.startsWith(`${one}/`)),
  });
}

/** `gh run list` and `gh run download`, of a service whose artifacts are folders. */
function installGh(): void {
  const script = `#!/bin/bash
case "$1 $2" in
  "run list") [ -d ${folder}/base ] && echo 17 || true ;;
  "run download") [ "$3" = 17 ] && [ "$4 $5 $6" = "--name swarmbench --dir" ] && cp -r ${folder}/base "$7" ;;
  *) exit 1 ;;
esac
`;
  write('bin/gh', script, 0o755);
}

describe('the GitHub Action', () => {
  const start = (): Readonly<Record<string, string>> => ({
    start: `PORT=${port} exec ${process.execPath} ${everything} streamableHttp`,
    target: `http://127.0.0.1:${port}/mcp`,
    arguments: QUICK,
  });
  let base: Job;
  let pullRequest: Job;

  beforeAll(async () => {
    installGh();
    base = await runAction('first', start());
    cpSync(join(folder, 'artifacts', 'swarmbench'), join(folder, 'base'), { recursive: true });
    await until('the server has ended', isFree);
    pullRequest = await runAction('second', { ...start(), rules: 'latency.p50 +20% and +5ms\nerrors.rate +0.5pp\n' });
  });

  test('runs the benchmark, shows it, keeps its results and ends the server', async () => {
    expect([base.output, ENDED.includes(base.code)]).toEqual([base.output, true]);
    expect(base.summary).toMatch(/^## .*: ci$/m);
    expect(base.output).toContain('there is no benchmark of main to compare with yet');
    expect(base.outputs).toEqual({ results: base.results, 'exit-code': String(base.code) });
    expect(existsSync(join(folder, 'base', 'latest'))).toBe(false);
    await until('the server has ended', isFree);
  });

  test('compares with the artifact of the base branch, by the rules it was given', () => {
    const verdicts = [base, pullRequest].map(({ results }) => verdictIn(join(results, 'latest')));
    if (verdicts.every((kind) => kind === 'passed' || kind === 'failed')) {
      expect(pullRequest.summary).toContain('errors.rate +0.5pp');
      expect(pullRequest.output).toContain('latency.p50 +20% and +5ms');
    } else expect(pullRequest.output).toContain('::warning title=swarmbench: not compared::');
    expect([pullRequest.output, [0, 4, 5, 99].includes(Number(pullRequest.code))]).toEqual([pullRequest.output, true]);
  });

  test('points at a threshold that does not hold, and fails', async () => {
    await until('the server has ended', isFree);
    const failing = `${QUICK} --set 'thresholds=[throughput > 1000000/s]'`;
    const job = await runAction('third', { ...start(), compare: 'false', arguments: failing });
    expect([4, 99]).toContain(job.code);
    expect(job.output).toMatch(/^::error title=ci%3A \w+::throughput > 1000000\/s does not hold: /m);
    expect(job.summary).toContain('throughput');
  });

  test('starts a server that speaks over its standard streams, and fails where nothing answers', async () => {
    await until('the server has ended', isFree);
    const command = `'${process.execPath}' '${everything}' stdio`;
    const job = await runAction('fifth', { command, compare: 'false', arguments: QUICK });
    expect([job.output, ENDED.includes(job.code)]).toEqual([job.output, true]);
    const { start: _, ...nothing } = start();
    const absent = await runAction('sixth', { ...nothing, wait: '1' });
    expect(absent.code).toBe(3);
    expect(absent.output).toContain('did not answer within 1 s');
  });
});

function verdictIn(runFolder: string): string {
  return JSON.parse(readFileSync(join(runFolder, 'report.json'), 'utf8')).verdict.kind;
}

test('the GitLab job runs, and compares with the report of the default branch', async () => {
  const block = blocksOf(textOf('docs/pipelines.md'), 'yaml').find((one) => one.startsWith('benchmark:')) ?? '';
  const { benchmark } = z
    .looseObject({ benchmark: z.looseObject({ script: z.array(z.string()) }) })
    .parse(parse(block));
  const script = benchmark.script
    .filter((line) => line !== 'npm ci')
    .join('\n')
    .replaceAll('swarmbench run ci', `swarmbench run ci ${QUICK}`)
    .replace('npm start', `PORT=${port} ${process.execPath} ${everything} streamableHttp`);
  const main = join(buildRoot, 'harness/cli/main.js');
  write('gitlab/package.json', '{ "name": "somebodys", "private": true }');
  write('gitlab/node_modules/.bin/swarmbench', `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`, 0o755);
  const asked: string[] = [];
  let base: string | undefined;
  const api = http
    .createServer((request, response) => {
      asked.push(`${request.headers['job-token']} ${request.url}`);
      if (base === undefined) response.writeHead(404).end();
      else response.end(base);
    })
    .listen(0, '127.0.0.1');
  await new Promise((resolve) => api.once('listening', resolve));
  const env = {
    TARGET: `http://127.0.0.1:${port}/mcp`,
    CI_COMMIT_SHA: 'abc',
    CI_API_V4_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}/api/v4`,
    CI_PROJECT_ID: '7',
    CI_DEFAULT_BRANCH: 'main',
    CI_JOB_TOKEN: 'secret',
  };
  try {
    // A runner ends what a job leaves behind.
    const job = `trap 'kill $(jobs -p)' EXIT\n${script}`;
    await until('the port is free', isFree);
    const first = await shell(job, env, join(folder, 'gitlab'));
    expect([first.output, ENDED.includes(first.code)]).toEqual([first.output, true]);
    expect(existsSync(join(folder, 'gitlab', 'base.json'))).toBe(false);
    base = readFileSync(join(folder, 'gitlab', 'report.json'), 'utf8');
    await until('the port is free', isFree);
    const second = await shell(job, env, join(folder, 'gitlab'));
    expect([second.output, [...ENDED, 5].includes(second.code)]).toEqual([second.output, true]);
    expect(second.output).toMatch(/cannot be compared|report: /);
    expect(new Set(asked)).toEqual(
      new Set(['secret /api/v4/projects/7/jobs/artifacts/main/raw/report.json?job=benchmark']),
    );
    expect(readFileSync(join(folder, 'gitlab', 'junit.xml'), 'utf8')).toContain('<testsuite');
  } finally {
    api.close();
  }
});
