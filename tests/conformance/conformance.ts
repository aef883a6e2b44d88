/**
 * `npm run conformance`: runs the official suite against the load client (as `swarmbench run` uses it) and the
 * reference server. Needs the npm registry, for the suite and the Node that it requires. Exits with 1 when a scenario
 * fails or passes unexpectedly, or is in the suite but not accounted for here. `npm run conformance -- ping` runs only
 * scenarios with that word in their name.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildRoot } from '../support/package-root.js';
import { type ClientCase, clientCases } from './cases.js';
import { notOurs } from './not-ours.js';
import type { Revision } from './revision.js';
import { type ServerCase, serverCases } from './server-cases.js';
import { type Judged, Suite } from './suite.js';

const plainServer = 'swarm/reference-server/main.js';
const conformanceServer = 'tests/conformance/reference-server/main.js';
const servers = {
  plain: [plainServer, '--port', '0'],
  fixtures: [conformanceServer, '--port', '0'],
  'fixtures, streams': [conformanceServer, '--port', '0', '--answers', 'sse'],
} as const satisfies Record<ServerCase['server'], readonly [entry: string, ...args: string[]]>;

async function judgeClient(
  suite: Suite,
  { scenario, revision, variant = '', operations, pace = { arrivals: { rate: '10/s' } }, prints }: ClientCase,
  folder: string,
): Promise<Judged> {
  const file = join(folder, `${scenario}-${revision}-${variant}.yaml`);
  writeFileSync(
    file,
    JSON.stringify({
      name: 'conformance',
      workload: { caller: { profile: 'low-load', clients: 1, ...pace, operations } },
      stages: [{ name: 'steady', duration: '2s' }],
      drain: '1s',
    }),
  );
  const era = revision === '2026-07-28' ? 'modern' : 'legacy';
  // The suite appends the URL of its server.
  const command = [
    process.execPath,
    join(buildRoot, 'harness/cli/main.js'),
    'run',
    file,
    '--out',
    join(folder, 'results'),
    '--quiet',
    '--era',
    era,
    '--target',
  ].join(' ');
  const judged = await suite.judge([
    'client',
    '--verbose',
    '--command',
    command,
    '--scenario',
    scenario,
    '--spec-version',
    revision,
  ]);
  return prints === undefined || judged.output.includes(prints)
    ? judged
    : { ...judged, failed: judged.failed + 1, output: `${judged.output}\nour command did not print: ${prints}` };
}

async function judgeServers(
  suite: Suite,
  kind: ServerCase['server'],
  cases: readonly ServerCase[],
  report: (one: ServerCase, judged: Judged) => void,
): Promise<void> {
  const [entry, ...args] = servers[kind];
  const server = spawn(process.execPath, [join(buildRoot, entry), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
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
    for (const one of cases)
      report(
        one,
        await suite.judge([
          'server',
          '--url',
          `http://localhost:${port}/mcp`,
          '--scenario',
          one.scenario,
          '--spec-version',
          one.revision,
        ]),
      );
  } finally {
    server.kill();
  }
}

/** Scenarios of the suite for our revisions that neither the cases nor `notOurs` name. */
async function missingScenarios(suite: Suite): Promise<readonly string[]> {
  const { output } = await suite.judge(['list']);
  const sides = [
    ['client', /Client scenarios[^]*?(?=\n\n|$)/, clientCases],
    ['server', /Server scenarios[^]*?(?=\n\n|$)/, serverCases],
  ] as const;
  return sides.flatMap(([side, section, cases]) => {
    const listed = [...(section.exec(output)?.[0] ?? '').matchAll(/- (\S+) \[([^\]]*)\]/g)];
    if (listed.length === 0) return [`${side}: the suite lists nothing`];
    return listed.flatMap(([, scenario = '', revisions = '']) =>
      (['2025-11-25', '2026-07-28'] as const satisfies readonly Revision[])
        .filter((revision) => revisions.split(',').includes(revision))
        .filter((revision) => !cases.some((one) => one.scenario === scenario && one.revision === revision))
        .filter(() => !Object.keys(notOurs[side]).some((beginning) => scenario.startsWith(beginning)))
        .map((revision) => `${side} ${revision} ${scenario}`),
    );
  });
}

async function main(words: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-conformance-'));
  const wanted = ({ scenario }: { readonly scenario: string }): boolean =>
    words.length === 0 || words.some((word) => scenario.includes(word));
  let unexpected = 0;
  const report = (side: string, one: ClientCase | ServerCase, judged: Judged): void => {
    if (!print(side, one, judged)) unexpected += 1;
  };
  try {
    const suite = await Suite.fetch(folder);
    for (const scenario of await missingScenarios(suite)) {
      unexpected += 1;
      process.stdout.write(`NOT ACCOUNTED FOR: ${scenario}\n`);
    }
    for (const one of clientCases.filter(wanted)) {
      const variant = one.variant === undefined ? '' : ` (${one.variant})`;
      report(`client${variant}`, one, await judgeClient(suite, one, folder));
    }
    for (const kind of ['plain', 'fixtures', 'fixtures, streams'] as const) {
      const cases = serverCases.filter((one) => one.server === kind && wanted(one));
      await judgeServers(suite, kind, cases, (one, judged) => report(`server (${kind})`, one, judged));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(unexpected === 0 ? 'as expected\n' : `${unexpected} not as expected\n`);
  return unexpected === 0 ? 0 : 1;
}

/** @returns whether the result is the expected one */
function print(
  side: string,
  { scenario, revision, expectedFailure }: ClientCase | ServerCase,
  { passed, failed, output }: Judged,
): boolean {
  const good = failed === 0 && passed > 0;
  const expected = good === (expectedFailure === undefined);
  const reason = good || expectedFailure === undefined ? '' : `: ${expectedFailure}`;
  process.stdout.write(
    `${side} ${revision} ${scenario}: ${verdict(good, expected)} ` +
      `(${passed} checks passed, ${failed} failed)${reason}\n`,
  );
  if (!expected && !good) process.stdout.write(`${output.slice(-3_000)}\n`);
  return expected;
}

function verdict(good: boolean, expected: boolean): string {
  if (good) return expected ? 'passed' : 'PASSED, BUT WAS EXPECTED TO FAIL';
  return expected ? 'fails as expected' : 'FAILED';
}

process.exitCode = await main(process.argv.slice(2));
