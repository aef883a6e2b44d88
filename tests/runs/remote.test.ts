/** Runs that another process conducts: a real harness with its local platform, so that no swarm is needed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startHarness } from '../support/harness.js';
import { startProgram } from '../support/program.js';
import { readEvents } from '../support/run-files.js';
import { countedScenario, simpleScenario, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

const COMMAND = 'harness/cli/main.js';

/** Phases come and go between two looks at a busy machine; a line of progress says as much. */
const LOAD_BEGINS = /starting the load|\d\d:\d\d steady/;

describe('a run that another harness conducts', () => {
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
    const harness = await startHarness();
    const cwd = tempFolder();
    const scenario = countedScenario({ arrivals: { rate: '40/s' } }, 6);
    const program = startProgram(
      COMMAND,
      ['run', writeScenario(scenario), '--controller', harness.url, '--token-file', harness.tokenFile],
      {},
      cwd,
    );
    await program.wrote(LOAD_BEGINS);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    harness.program.kill('SIGKILL');
    await harness.program.ended;
    await harness.startAgain();
    await program.ended;
    expect(program.stdout()).toMatch(/requests +120 sent of 120 due, 120 succeeded, 0 failed/);
    const sequence = readEvents(join(cwd, 'results', 'latest')).map(({ seq }) => seq);
    expect(sequence).toEqual(sequence.map((_, index) => index + 1));
  });

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
