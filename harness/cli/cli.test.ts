import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type TestHostOptions, testHost } from '../../tests/support/cli/test-host.js';
import { main } from './cli.js';
import { CliError, renderError, toCliError } from './cli-error.js';
import { commands } from './commands/commands.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarmbench-cli-'));
  writeFileSync(
    join(folder, 'broken.yaml'),
    'name: broken\nworkload: { normal: {} }\nstages:\n  - { name: a, durration: 5s }\n',
  );
  writeFileSync(
    join(folder, 'faults.yaml'),
    'name: faults\nworkload: { normal: {} }\nstages: [{ name: a, duration: 5s }]\n' +
      'faults: [{ at: 1s, kind: explode }]\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function swarmbench(args: readonly string[], options: TestHostOptions = {}) {
  const host = testHost(args, options);
  const code = await main(host);
  return { code, out: host.out(), err: host.err() };
}

describe('exit codes and messages', () => {
  test.each<[readonly string[], number, RegExp]>([
    [['--version'], 0, /^$/],
    [['--help'], 0, /^$/],
    [['help', 'run'], 0, /^$/],
    [[], 2, /Usage: swarmbench/],
    [['rnu'], 2, /^error: unknown command 'rnu'\n {2}hint: did you mean run\?/],
    [
      ['list', '--jsn'],
      2,
      /^error: unknown option '--jsn'\n {2}hint: did you mean --json\? see `swarmbench list --help`\n {2}code: USAGE/,
    ],
    [['plan'], 2, /missing required argument 'scenario'/],
    [['plan', 'smkoe'], 2, /there is no scenario `smkoe`\n.*did you mean "smoke"[^]*code: NOT_FOUND/],
    [['plan', 'smoke', '--seed', 'x'], 2, /'x' is invalid. Not a number/],
    [['plan', 'smoke', '--workers', '0'], 2, /Not a whole number above 0/],
    [['plan', 'smoke', '--era', 'old'], 2, /Allowed choices are auto, legacy, modern/],
    [['plan', 'smoke', '--server', 'a'], 2, /--server names a server in the --config file/],
    [['plan', 'smoke', '--set', 'stages.nosuch.duration=1s'], 2, /--set stages\.nosuch\.duration:1:\d+/],
    [['plan', 'smoke', '--target', 'http://example.com/mcp'], 2, /--allow-target/],
    [['plan', 'smoke', '--set', 'target.gateway.sticky=cookie'], 2, /^$/],
    [['schema', 'nothing'], 2, /Allowed choices are scenario, profile/],
    [['worker'], 2, /either a --controller, or an address to --listen on/],
    [['worker', '--listen', '1', '--controller', 'http://c'], 2, /either a --controller/],
    [['run', '--workers', '0'], 2, /Not a whole number above 0/],
    [['run', '--workers', 'http://a:1,here'], 2, /`here` is not the URL of a worker.*Write a number, or http/],
    [['run', '--workers', 'http://a:1,http://a:1/'], 2, /is named twice/],
    [['run', '--workers', 'http://me:secret@a:1'], 2, /the token of a worker belongs in a file/],
    [['run', '--workers-file', 'no-such-file'], 2, /--workers-file: ENOENT/],
    [
      ['run', '--workers-file', 'package.json'],
      2,
      /package\.json:1:1: missing key `workers`[^]*:2:3: unknown key `name`/,
    ],
    [['run', '--workers', '2', '--workers-token-file', 'x'], 2, /--workers-token-file is for workers that are named/],
    [
      ['run', '--workers', 'http://10.0.0.5:1'],
      2,
      /loopback of this machine, which the worker at http:..10\.0\.0\.5:1/,
    ],
    [['run', '--workers', 'http://127.0.0.1:1', '--threads', '2'], 2, /--threads applies only to workers that this/],
    [['run', '--workers', 'http://127.0.0.1:1', '--on', 'swarm'], 2, /this command conducts itself/],
    [['run', '--extra-consumers', '--workers', '2'], 2, /--extra-consumers: no profile subscribes/],
    [['run', 'subscription-fanout', '--extra-consumers', '--workers', '1'], 2, /one worker cannot be divided/],
    [['worker', '--controller', 'nowhere'], 2, /is not a URL/],
  ])('swarmbench %j exits %i', async (args, code, message) => {
    const outcome = await swarmbench(args);
    expect(outcome.err).toMatch(message);
    expect(outcome.code).toBe(code);
    if (code !== 0 && message.source !== '^$') expect(outcome.out).toBe('');
  });

  test('a broken scenario names file, line and column and the nearest key', async () => {
    const { code, err } = await swarmbench(['plan', join(folder, 'broken.yaml')]);
    expect(code).toBe(2);
    expect(err).toMatch(/broken\.yaml:4:16: .*durration/);
    expect(err).toMatch(/did you mean .?duration/);
  });

  test('an unknown kind of fault is refused at its place, with the kinds there are', async () => {
    const { code, err } = await swarmbench(['plan', join(folder, 'faults.yaml')]);
    expect(code).toBe(2);
    expect(err).toMatch(/faults\.yaml:4:26: `explode` is not one of: kill, stop/);
  });

  test('`plan` shows what the platform cannot do', async () => {
    const { code, out } = await swarmbench(['plan', 'smoke', '--set', 'target.gateway.sticky=cookie']);
    expect(code).toBe(2);
    expect(out).toMatch(/refused: target\.gateway\.sticky: cookie needs a gateway/);
  });

  test.each([
    [
      new CliError({ code: 'X', message: 'what', where: 'where', hint: 'do', exitCode: 3 }),
      'error: what\n  where\n  hint: do\n  code: X\n',
      3,
    ],
    [
      Object.assign(new Error('the target said no'), { code: 'PREFLIGHT_FAILED', hint: 'ask it' }),
      'error: the target said no\n  hint: ask it\n  code: PREFLIGHT_FAILED\n',
      3,
    ],
    [
      new TypeError('x is not a function'),
      /^error: unexpected: x is not a function\n {2}hint: .*SWARMBENCH_DEBUG=1.*\n {2}code: UNEXPECTED\n$/,
      1,
    ],
  ])('%s', (thrown, text, code) => {
    const error = toCliError(thrown);
    if (typeof text === 'string') expect(renderError(error)).toBe(text);
    else expect(renderError(error)).toMatch(text);
    expect(error.exitCode).toBe(code);
  });
});

describe('help', () => {
  test.each(Object.entries(commands))('of %s has examples that name it', async (name, { load }) => {
    const command = await load();
    const { code, out, err } = await swarmbench([name, '--help']);
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out).toContain('Examples:');
    for (const example of command.examples) expect(out).toContain(example);
    expect(command.examples.some((example) => example.includes(`swarmbench ${name}`))).toBe(true);
  });
});

describe('--json', () => {
  test.each([
    [['list', '--json']],
    [['plan', 'smoke', '--json']],
    [['validate', 'smoke', '--json']],
    [['doctor', '--json']],
    [['schema']],
    [['schema', 'profile']],
  ])('swarmbench %j writes one JSON object on stdout and nothing else', async (args) => {
    const { out, err } = await swarmbench(args, { cwd: folder, env: { FORCE_COLOR: '1' } });
    expect(typeof JSON.parse(out)).toBe('object');
    expect(err).toBe('');
  });

  test('validate lists the problems of each scenario', async () => {
    const { code, out } = await swarmbench(['validate', 'smoke', join(folder, 'broken.yaml'), '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      scenarios: [{ scenario: 'smoke', problems: [] }, { problems: [{ code: 'UNKNOWN_KEY', line: 4 }] }],
    });
  });
});

describe('colour', () => {
  const escapeSequence = '\x1b[';
  test.each([
    ['a terminal', ['list'], { isTTY: true }, true],
    ['a pipe', ['list'], {}, false],
    ['NO_COLOR', ['list'], { isTTY: true, env: { NO_COLOR: '1' } }, false],
    ['--no-color', ['list', '--no-color'], { isTTY: true }, false],
    ['FORCE_COLOR on a pipe', ['list'], { env: { FORCE_COLOR: '1' } }, true],
  ] as const)('%s', async (_name, args, options, coloured) => {
    expect((await swarmbench(args, options)).out.includes(escapeSequence)).toBe(coloured);
  });
});

describe('the process', () => {
  const entry = fileURLToPath(new URL('main.js', import.meta.url));

  test('ends with the exit code, everything written', () => {
    const { status, stdout } = spawnSync(process.execPath, [entry, 'schema'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('title');
    expect(spawnSync(process.execPath, [entry, 'nothing']).status).toBe(2);
  });

  test('a reader that goes away is not an error', () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${entry}" schema | head -1`], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('{\n');
    expect(stderr).toBe('');
  });
});
