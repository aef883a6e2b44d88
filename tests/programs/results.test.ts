/** Runs that stayed at a harness elsewhere: a real harness, whose client went away. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startHarness } from '../support/harness.js';
import { startProgram } from '../support/program.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

test('a run that was started over the API is listed, fetched whole, and rendered by its URL', async () => {
  const { url, tokenFile, results } = await startHarness();
  const home = tempFolder();
  const there = ['--controller', url, '--token-file', tokenFile, '--out', home];
  async function swarmbench(...args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> {
    const program = startProgram('harness/cli/main.js', [...args]);
    return { code: await program.ended, out: program.stdout(), err: program.stderr() };
  }
  const headers = {
    authorization: `Bearer ${readFileSync(tokenFile, 'utf8')}`,
    'content-type': 'application/json',
  };
  const scenario = {
    name: 'left',
    workload: { 'low-load': { operations: [{ list: 'tools' }] } },
    stages: [{ name: 'steady', duration: '1s' }],
  };
  const started = await fetch(`${url}/runs`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ scenario: JSON.stringify(scenario), workers: 1 }),
  });
  const { runId, ...answer } = (await started.json()) as { runId: string };
  expect([answer, started.status]).toEqual([answer, 201]);

  const early = await swarmbench('results', 'fetch', runId, ...there);
  expect([early.code, early.err]).toEqual([2, expect.stringContaining('RUN_NOT_FINISHED')]);
  await until('the run is over', async () => {
    const view = await fetch(`${url}/runs/${runId}`, { headers });
    return ((await view.json()) as { state: { kind: string } }).state.kind === 'finished';
  });
  const listed = await swarmbench('results', 'list', ...there, '--json');
  expect(JSON.parse(listed.out)).toMatchObject({ runs: [{ runId, scenario: 'left' }] });

  const fetched = await swarmbench('results', 'fetch', ...there);
  expect([fetched.err, fetched.code, fetched.out]).toEqual([fetched.err, 0, `${runId}\n`]);
  const filesOf = (folder: string): readonly string[] =>
    readdirSync(join(folder, runId), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .toSorted();
  expect(filesOf(home)).toEqual(filesOf(results));
  expect((await swarmbench('results', 'fetch', ...there)).out).toContain('is here already');
  expect((await swarmbench('results', 'fetch', '20260101-000000-none-aaaa', ...there)).err).toContain('RUN_NOT_FOUND');

  const elsewhere = tempFolder();
  const token = ['--token-file', tokenFile, '--out', elsewhere];
  const rendered = await swarmbench('report', `${url}/runs/${runId}`, ...token);
  expect([rendered.err, rendered.code]).toEqual([rendered.err, 0]);
  expect(rendered.out).toContain('left: ');
  expect(existsSync(join(elsewhere, runId, 'report.html'))).toBe(true);
  expect((await swarmbench('report', `${url}/elsewhere`, ...token)).err).toContain('is not the URL of a run');
});
