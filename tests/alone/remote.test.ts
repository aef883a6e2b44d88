/** Runs that another process conducts: with a real harness and its local platform, so that no swarm is needed. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

import { type Program, startProgram } from '../support/program.js';
import { readEvents } from '../support/run-files.js';
import { simpleScenario, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

const COMMAND = 'harness/cli/main.js';
const TOKEN = 'operator-token-of-this-test';

async function startHarness(
  port = 0,
): Promise<{ readonly url: string; readonly tokenFile: string; readonly results: string; readonly program: Program }> {
  const folder = tempFolder();
  const [tokenFile, workerFile, results] = ['operator', 'worker', 'results'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(tokenFile, TOKEN);
  writeFileSync(workerFile, 'worker-token-of-this-test');
  const program = startProgram(COMMAND, [
    'serve',
    '--port',
    String(port),
    '--out',
    results,
    '--operator-token-file',
    tokenFile,
    '--worker-token-file',
    workerFile,
  ]);
  const [, url = ''] = await program.wrote(/listens on (\S+),/);
  return { url, tokenFile, results, program };
}

/** Phases come and go between two looks at a busy machine; a line of progress says as much. */
const LOAD_BEGINS = /starting the load|\d\d:\d\d steady/;

describe('a run that is conducted elsewhere', () => {
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
    const program = startProgram(COMMAND, args, {}, cwd);
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

  test('is stopped by the first interrupt, with its report', async () => {
    const { url, tokenFile } = await startHarness();
    const cwd = tempFolder();
    const program = startProgram(
      COMMAND,
      [
        'run',
        writeScenario(simpleScenario({ arrivals: { rate: '20/s' } }, 60)),
        '--controller',
        url,
        '--token-file',
        tokenFile,
      ],
      {},
      cwd,
    );
    await program.wrote(LOAD_BEGINS);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    program.kill('SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.stdout()).toMatch(/test: incomplete\n {2}interrupted before its end: SIGINT/);
    expect(readEvents(join(cwd, 'results', 'latest')).map(({ type }) => type)).toContain('stop.requested');
  });

  test('goes on over a harness that is killed and started again', async () => {
    const first = await startHarness();
    const cwd = tempFolder();
    const program = startProgram(
      COMMAND,
      [
        'run',
        writeScenario(simpleScenario({ arrivals: { rate: '20/s' } }, 6)),
        '--controller',
        first.url,
        '--token-file',
        first.tokenFile,
      ],
      {},
      cwd,
    );
    await program.wrote(LOAD_BEGINS);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    first.program.kill('SIGKILL');
    await first.program.ended;
    const [workerFile] = [join(first.results, '..', 'worker')];
    startProgram(COMMAND, [
      'serve',
      '--port',
      new URL(first.url).port,
      '--out',
      first.results,
      '--operator-token-file',
      first.tokenFile,
      '--worker-token-file',
      workerFile,
    ]);
    await program.ended;
    expect(program.stdout()).toMatch(/requests +120 sent of 120 due, 120 succeeded, 0 failed/);
    const sequence = readEvents(join(cwd, 'results', 'latest')).map(({ seq }) => seq);
    expect(sequence).toEqual(sequence.map((_, index) => index + 1));
  }, 60_000);

  test.each<[string, readonly string[], number, RegExp]>([
    [
      'nobody answers',
      ['--controller', 'http://127.0.0.1:2'],
      3,
      /no harness answers at http:\/\/127\.0\.0\.1:2: .*ECONNREFUSED[^]*code: HARNESS_UNREACHABLE/,
    ],
    ['the address is none', ['--controller', 'here'], 2, /--controller: `here` is not a URL/],
    [
      'the token file is missing',
      ['--controller', 'http://127.0.0.1:2', '--token-file', 'nowhere'],
      2,
      /--token-file: .*nowhere/,
    ],
    [
      'engine threads are asked for',
      ['--on', 'swarm', '--threads', '2'],
      2,
      /--threads applies only to workers on this machine/,
    ],
    [
      'the target would be each worker itself',
      ['--on', 'swarm', '--target', 'http://localhost:3000/mcp'],
      2,
      /localhost:3000\/mcp: in a swarm this is each worker's own container[^]*code: PLAN_REFUSED/,
    ],
  ])(
    'says so when %s',
    async (_, args, code, message) => {
      const program = startProgram(COMMAND, ['run', 'smoke', ...args], {}, tempFolder());
      expect(await program.ended).toBe(code);
      expect(program.stderr()).toMatch(message);
    },
    60_000,
  );

  test('says so when the token is wrong', async () => {
    const { url } = await startHarness();
    const wrong = join(tempFolder(), 'wrong');
    writeFileSync(wrong, 'a-token-of-somebody-else');
    const program = startProgram(
      COMMAND,
      ['run', 'smoke', '--controller', url, '--token-file', wrong],
      {},
      tempFolder(),
    );
    expect(await program.ended).toBe(2);
    expect(program.stderr()).toMatch(/the token is unknown\n {2}hint: .*--token-file/);
  }, 30_000);
});
