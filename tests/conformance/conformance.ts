/**
 * `npm run conformance`: the official suite against the load client (as `swarmbench run` uses it) and the reference
 * server. Needs the npm registry, for the suite and the Node it wants. Exits with 1 when something fails that is not
 * expected to, passes that is, or is in the suite and not accounted for. `npm run conformance -- ping` asks only what
 * holds that word.
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
  { scenario, revision, variant = '', operations, pace = { arrivals: { rate: '10/s' } }, says }: ClientCase,
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
  return says === undefined || judged.output.includes(says)
    ? judged
    : { ...judged, failed: judged.failed + 1, output: `${judged.output}\nour command did not say: ${says}` };
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

/** What the suite has for our revisions and nobody here says anything of. */
async function forgotten(suite: Suite): Promise<readonly string[]> {
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
  let surprises = 0;
  const wanted = ({ scenario }: { readonly scenario: string }): boolean =>
    words.length === 0 || words.some((word) => scenario.includes(word));
  const tell = (
    side: string,
    { scenario, revision, expectedFailure }: ClientCase | ServerCase,
    { passed, failed, output }: Judged,
  ): void => {
    const good = failed === 0 && passed > 0;
    const surprise = good === (expectedFailure !== undefined);
    if (surprise) surprises += 1;
    const word = good
      ? surprise
        ? 'PASSED, BUT WAS EXPECTED TO FAIL'
        : 'passed'
      : surprise
        ? 'FAILED'
        : 'fails as expected';
    process.stdout.write(
      `${side} ${revision} ${scenario}: ${word} (${passed} checks passed, ${failed} failed)${!good && expectedFailure !== undefined ? `: ${expectedFailure}` : ''}\n`,
    );
    if (surprise && !good) process.stdout.write(`${output.slice(-3_000)}\n`);
  };
  try {
    const suite = await Suite.fetch(folder);
    for (const one of await forgotten(suite)) {
      surprises += 1;
      process.stdout.write(`NOT ACCOUNTED FOR: ${one}\n`);
    }
    for (const one of clientCases.filter(wanted))
      tell(`client${one.variant === undefined ? '' : ` (${one.variant})`}`, one, await judgeClient(suite, one, folder));
    for (const kind of ['plain', 'fixtures', 'fixtures, streams'] as const) {
      await judgeServers(
        suite,
        kind,
        serverCases.filter((one) => one.server === kind && wanted(one)),
        (one, judged) => tell(`server (${kind})`, one, judged),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(surprises === 0 ? 'as expected\n' : `${surprises} not as expected\n`);
  return surprises === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
