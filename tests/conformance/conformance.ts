/**
 * `npm run conformance`: the official suite against the load client (as `swarmbench run` uses it) and the reference server.
 * Needs the npm registry, for the suite and the Node it wants. Exits with 1 when something fails that is not expected to,
 * or passes that is.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildRoot } from '../support/package-root.js';
import { clientCases, serverCases, SUITE, SUITE_NODE, type ClientCase, type ServerCase } from './cases.js';

const TIME_LIMIT_MS = 120_000;

interface Judged {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

async function suite(args: readonly string[]): Promise<Judged> {
  const child = spawn('npx', ['-y', '-p', SUITE_NODE, '-p', SUITE, '--', 'conformance', ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIME_LIMIT_MS });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
  const counts = [...output.matchAll(/Passed: (\d+)\/\d+, (\d+) failed/g)].at(-1);
  return { passed: Number(counts?.[1] ?? 0), failed: Number(counts?.[2] ?? 1), output };
}

async function judgeClient({ scenario, revision, operations, pace = { arrivals: { rate: '10/s' } } }: ClientCase, folder: string): Promise<Judged> {
  const file = join(folder, `${scenario}-${revision}.yaml`);
  writeFileSync(file, JSON.stringify({
    name: 'conformance', workload: { caller: { profile: 'low-load', clients: 1, ...pace, operations } },
    stages: [{ name: 'steady', duration: '2s' }], drain: '1s',
  }));
  const era = revision === '2026-07-28' ? 'modern' : 'legacy';
  // The suite appends the URL of its server.
  const command = [process.execPath, join(buildRoot, 'harness/cli/main.js'), 'run', file, '--out', join(folder, 'results'), '--quiet', '--era', era, '--target'].join(' ');
  return suite(['client', '--command', command, '--scenario', scenario, '--spec-version', revision]);
}

async function judgeServers(cases: readonly ServerCase[], report: (one: ServerCase, judged: Judged) => void): Promise<void> {
  const server = spawn(process.execPath, [join(buildRoot, 'swarm/reference-server/main.js'), '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await new Promise<string>((resolve, reject) => {
      let text = '';
      server.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const found = /http:\/\/[^\s"]*:(\d+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      server.once('exit', (code) => reject(new Error(`the reference server ended with ${code}`)));
    });
    for (const one of cases) report(one, await suite(['server', '--url', `http://localhost:${port}/mcp`, '--scenario', one.scenario, '--spec-version', one.revision]));
  } finally {
    server.kill();
  }
}

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-conformance-'));
  let surprises = 0;
  const tell = (side: string, { scenario, revision, expectedFailure }: ClientCase | ServerCase, { passed, failed, output }: Judged): void => {
    const good = failed === 0 && passed > 0;
    const surprise = good === (expectedFailure !== undefined);
    if (surprise) surprises += 1;
    const word = good ? (surprise ? 'PASSED, BUT WAS EXPECTED TO FAIL' : 'passed') : surprise ? 'FAILED' : 'fails as expected';
    process.stdout.write(`${side} ${revision} ${scenario}: ${word} (${passed} checks passed, ${failed} failed)${!good && expectedFailure !== undefined ? `: ${expectedFailure}` : ''}\n`);
    if (surprise && !good) process.stdout.write(`${output.slice(-3_000)}\n`);
  };
  try {
    for (const one of clientCases) tell('client', one, await judgeClient(one, folder));
    await judgeServers(serverCases, (one, judged) => tell('server', one, judged));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(surprises === 0 ? 'as expected\n' : `${surprises} not as expected\n`);
  return surprises === 0 ? 0 : 1;
}

process.exitCode = await main();
