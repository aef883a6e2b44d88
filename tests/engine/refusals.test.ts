/**
 * Each file in `refusals/` is refused by `docker stack deploy` or by the engine behind it, and so it is by us. The
 * first line of the file says where.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { composeToSwarm } from '../../harness/platform/swarm/compose/compose-to-swarm.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { packageRoot } from '../support/package-root.js';
import { type ComposeCase, casesIn, inputOf } from '../support/swarm/cases.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm } from '../support/swarm/swarm.js';

const STACK = 'swarmbench-refusals';
const environment = { EMPTY: '', WORD: 'word', ONE: '1' };
const folder = join(packageRoot, 'tests/engine/refusals');
const cases = casesIn(folder).map((each) => [each.name, { ...each, environment }] as const);

describe('we refuse, with one problem, in its place', () => {
  test.each(cases)('%s', (_, compose) => {
    const outcome = composeToSwarm(inputOf(compose, STACK));
    const { file, line, column, code } = expectationOf(compose);
    expect(outcome.kind === 'refused' ? outcome.problems : 'accepted').toEqual([
      expect.objectContaining({ file, line, column, code }),
    ]);
    expect(outcome.kind === 'refused' && formatProblems(outcome.problems, { withPath: true })).toMatch(
      /^\S+:\d+:\d+: \S/,
    );
  });
});

await describeOnSwarm('the CLI refuses', 'cli', () => {
  afterAll(() => removeStack(STACK));

  test.each(cases)('%s', async (_, { paths }) => {
    const files = paths.flatMap((path) => ['--compose-file', path]);
    const { code } = await cli(
      ['stack', 'deploy', '--detach', '--resolve-image', 'never', ...files, STACK],
      environment,
    );
    expect(code).not.toBe(0);
    await removeStack(STACK);
  });
});

/** `# refused at [file:]line:column CODE` */
function expectationOf({ name, paths: [first = ''] }: ComposeCase): {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly code: string;
} {
  const found = /^# refused at (?:(?<file>\S+?):)?(?<line>\d+):(?<column>\d+) (?<code>\w+)$/m.exec(
    readFileSync(first, 'utf8'),
  )?.groups;
  if (found === undefined) throw new Error(`${name} does not say where it is refused`);
  const { file, line, column, code = '' } = found;
  return {
    file: file === undefined ? first : join(first, '..', file),
    line: Number(line),
    column: Number(column),
    code,
  };
}
