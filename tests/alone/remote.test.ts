/** A run that another process conducts: a real harness with its local platform, so that no swarm is needed. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startHarness } from '../support/harness.js';
import { startProgram } from '../support/program.js';
import { writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

describe('a run that another harness conducts', () => {
  test('brings everything it wrote here, and is judged and shown like one that ran here', async () => {
    const { url, tokenFile, results } = await startHarness();
    const [folder, cwd] = [tempFolder(), tempFolder()];
    // A profile that only this side has.
    mkdirSync(join(folder, 'profiles'));
    writeFileSync(
      join(folder, 'profiles', 'mine.yaml'),
      'name: mine\nclients: 2\narrivals: { rate: 20/s }\noperations: [{ list: tools }]\n',
    );
    const scenario = writeScenario(
      {
        name: 'away',
        workload: { mine: {} },
        stages: [{ name: 'steady', duration: '2s' }],
        drain: '2s',
        thresholds: ['errors.rate < 1%'],
      },
      folder,
    );
    const args = [
      'run',
      scenario,
      '--controller',
      url,
      '--token-file',
      tokenFile,
      '--workers',
      '2',
      '--label',
      'where=away',
      '--json',
      '--out',
      'home',
    ];
    const program = startProgram('harness/cli/main.js', args, {}, cwd);
    const code = await program.ended;
    expect({ code, stderr: program.stderr() }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /away: starting target and workers[^]*preflight: swarmbench-reference[^]*downloading the results/,
      ),
    });

    const outcome = JSON.parse(program.stdout()) as { runId: string; folder: string; summary: { succeeded: number } };
    expect(outcome).toMatchObject({
      exitCode: 0,
      scenario: 'away',
      verdict: { kind: 'passed' },
      failure: null,
      problems: [],
      summary: { offered: 80, succeeded: 80 },
    });
    const home = join(cwd, 'home', outcome.runId);
    const there = readdirSync(join(results, outcome.runId), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    expect(readdirSync(home).toSorted()).toEqual(there.toSorted());
    for (const name of there)
      expect(readFileSync(join(home, name)).equals(readFileSync(join(results, outcome.runId, name)))).toBe(true);
    expect(readdirSync(join(cwd, 'home')).toSorted()).toEqual([outcome.runId, 'latest']);
    const report = JSON.parse(readFileSync(join(home, 'report.json'), 'utf8')) as {
      run: { command: string; labels: object };
      workers: readonly unknown[];
    };
    expect(report.run).toMatchObject({
      command: expect.stringMatching(/^swarmbench run .*away\.yaml --controller/),
      labels: { where: 'away' },
    });
    expect(report.workers).toHaveLength(2);
  });
});
