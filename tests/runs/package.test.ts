/** The package of `npm pack`, as somebody installs it: in an empty folder, with npm, without our checkout. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { packageRoot } from '../support/package-root.js';
import { startCommand } from '../support/program.js';
import { readRun } from '../support/run-files.js';

jest.setTimeout(300_000);

/** A tenth of `smoke`; the verdict of so short a run is the machine's business. */
const SHORT = ['--time-scale', '0.05', '--workers', '1', '--threads', '1'];
const ENDED: readonly unknown[] = [0, 4, 99];

let folder: string;
let installed: string;

async function inFolder(...command: readonly string[]): Promise<{ code: unknown; stdout: string; output: string }> {
  const program = startCommand(command, {}, folder);
  const code = await program.ended;
  return { code, stdout: program.stdout(), output: `${program.stdout()}${program.stderr()}` };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmbench-package-'));
  const pack = startCommand(['npm', 'pack', '--silent', '--pack-destination', folder], {}, packageRoot);
  expect([pack.stderr(), await pack.ended]).toEqual(['', 0]);
  const [tarball = ''] = readdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "somebodys", "type": "module", "private": true }\n');
  // From npm's cache where `npm ci` has filled it.
  const { code, output } = await inFolder(
    ...['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`],
  );
  expect([output, code]).toEqual([output, 0]);
  installed = join(folder, 'node_modules', 'mcp-swarm-bench');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('it has programs, scenarios and the stack, and neither sources nor tests', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !file.startsWith('node_modules'),
  );
  expect(files).toEqual(
    expect.arrayContaining(['scenarios/smoke.yaml', 'swarm/stack.yml', 'swarm/images/harness/Dockerfile', 'LICENSE']),
  );
  const superfluous = files.filter((file) => /\.test\.|\.map$|^dist\/tests|[^d]\.ts$|(?<!\.d)\.ts$/.test(file));
  expect(superfluous).toEqual([]);
  expect(existsSync(join(folder, 'node_modules', 'jest'))).toBe(false);
});

test('npx swarmbench run', async () => {
  const { code, output } = await inFolder('npx', 'swarmbench', 'run', ...SHORT);
  expect([output, ENDED.includes(code)]).toEqual([output, true]);
  expect(readRun(join(folder, 'results')).report.summary).toMatchObject({ failed: 0 });
});

test.each([
  [['--version'], /^\d+\.\d+\.\d+\n$/],
  [['plan', 'baseline'], /baseline/],
  [['schema', 'report'], /"schemaVersion"/],
])('npx swarmbench %j', async (args, says) => {
  const { code, stdout, output } = await inFolder('npx', 'swarmbench', ...args);
  expect([output, code]).toEqual([output, 0]);
  expect(stdout).toMatch(says);
});

test('images can be built from it', async () => {
  const bundle = join(installed, 'dist/harness/platform/swarm/images');
  const script = `
    import { makeBundle } from ${JSON.stringify(join(bundle, 'bundle.js'))};
    import { OWN_IMAGES } from ${JSON.stringify(join(bundle, 'own-images.js'))};
    const packageRoot = ${JSON.stringify(installed)};
    const places = { packageRoot, buildRoot: packageRoot + '/dist/' };
    for (const image of OWN_IMAGES) {
      const { files } = makeBundle(image, places);
      console.log(image.name, files.has('node_modules/zod/package.json'));
    }
  `;
  const { code, stdout, output } = await inFolder('node', '--input-type=module', '--eval', script);
  expect([output, code]).toEqual([output, 0]);
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['harness true', 'client-sim true', 'cli true']));
});

describe("import { run, compare } from 'mcp-swarm-bench'", () => {
  const program = `
    import { compare, readReport, run, SwarmbenchError, type Report, type RunResult } from 'mcp-swarm-bench';
    const scenario = {
      name: 'mine',
      workload: { caller: { profile: 'low-load', operations: [{ list: 'tools' }] } },
      stages: [{ name: 'steady', duration: '1s' }],
    };
    const options = { out: 'library', workers: 1, threads: 1, label: { from: 'library' } };
    const result: RunResult = await run([scenario, scenario], options);
    const [first, second] = result.runs;
    if (first === undefined || second === undefined) throw new Error('two runs');
    const report: Report = readReport(first.folder);
    const rule = 'latency.p50 +20%';
    const compared = await compare(first.folder, [second.folder], { out: 'library', force: true, rule });
    const problem = await run('no-such-scenario').catch((error: unknown) => error);
    const wrong = await run('smoke', { era: 'modern', server: 'x' }).catch((error: unknown) => error);
    const errors = [problem, wrong].map((error) => (error instanceof SwarmbenchError ? error.code : String(error)));
    const rules = compared.comparisons.map(({ rules: all }) => all.map(({ rule }) => rule)).flat();
    const { scenario: name, labels } = report.run;
    console.log(JSON.stringify({ name, sent: report.summary.sent > 0, labels, rules, errors }));
  `;

  test('runs and compares, and every result has its type', async () => {
    writeFileSync(join(folder, 'mine.ts'), program);
    const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const types = join(packageRoot, 'node_modules', '@types');
    const flags = ['--ignoreConfig', '--strict', '--module', 'nodenext', '--target', 'es2023'];
    const { code, output } = await inFolder('node', tsc, ...flags, '--typeRoots', types, '--types', 'node', 'mine.ts');
    expect([output, code]).toEqual(['', 0]);
    const ran = await inFolder('node', 'mine.js');
    expect([ran.output, ran.code]).toEqual([ran.output, 0]);
    expect(JSON.parse(ran.stdout)).toEqual({
      name: 'mine',
      sent: true,
      labels: { from: 'library' },
      rules: ['latency.p50 +20%'],
      errors: ['NOT_FOUND', 'USAGE'],
    });
  });

  test('a wrong type does not compile', async () => {
    writeFileSync(
      join(folder, 'wrong.ts'),
      "import { run } from 'mcp-swarm-bench';\nawait run('smoke', { trials: 'six' });\n",
    );
    const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const { output } = await inFolder(
      'node',
      tsc,
      ...['--ignoreConfig', '--strict', '--noEmit', '--module', 'nodenext'],
      'wrong.ts',
    );
    expect(output).toContain("wrong.ts(2,22): error TS2322: Type 'string' is not assignable to type 'number'");
  });
});
