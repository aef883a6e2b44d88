import { describe, expect, test } from '@jest/globals';
import { blocksOf, textOf } from '../../tests/support/documents.js';
import type { ScenarioIo } from './scenario-io.js';
import { matrixSteps, readSuite, type SuiteResult, type SuiteStep } from './suite.js';

function read(text: string, file = '/suites/nightly.yaml'): SuiteResult | undefined {
  const io: ScenarioIo = { readText: (path) => (path === file ? text : undefined), list: () => [] };
  return readSuite(file, io);
}

function stepsOf(text: string): readonly SuiteStep[] {
  const result = read(text);
  if (result?.ok !== true) throw new Error(JSON.stringify(result));
  return result.suite.steps;
}

function problemsOf(text: string): readonly string[] {
  const result = read(text);
  if (result === undefined || result.ok) throw new Error('it has no problem');
  return result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe('a suite', () => {
  test('is a file with the key `suite`; anything else is a scenario', () => {
    expect(read('name: x\nstages: []\n')).toBeUndefined();
    expect(read('suite: [\n')).toBeUndefined();
    expect(readSuite('smoke')).toBeUndefined();
    expect(readSuite('./nowhere.yaml')).toBeUndefined();
  });

  test('has scenarios by name and by file beside it, with what changes them', () => {
    const steps = stepsOf(`
suite: nightly
set: { workload.normal.clients: 5 }
pause: 10s
scenarios:
  - smoke
  - { scenario: ./mine.yaml, title: Mine, set: { stages.a.load: { from: 0%, to: 100% } }, timeScale: 0.5, pause: 1s }
  - { scenario: spike, target: 'http://localhost:1/mcp', seed: 7, afterFailure: stop }
`);
    expect(steps.map(({ scenario }) => scenario)).toEqual(['smoke', '/suites/mine.yaml', 'spike']);
    expect(steps.map(({ pauseMs }) => pauseMs)).toEqual([10_000, 1000, 10_000]);
    expect(steps.map(({ stopsAfterFailure }) => stopsAfterFailure)).toEqual([false, false, true]);
    expect(steps[1]).toMatchObject({
      title: 'Mine',
      timeScale: 0.5,
      sets: ['workload.normal.clients=5', 'stages.a.load={"from":"0%","to":"100%"}'],
    });
    expect(steps[2]).toMatchObject({ targets: ['http://localhost:1/mcp'], seed: 7 });
  });

  test('with a matrix has a run for each combination, the last axis changing fastest', () => {
    const steps = stepsOf(`
suite: grid
scenarios: [{ scenario: smoke, matrix: { transport: [sse, websocket], replicas: [1, 2], stages.a.duration: [5s] } }]
`);
    expect(steps.map(({ axes }) => `${axes.transport} ${axes.replicas}`)).toEqual([
      'sse 1',
      'sse 2',
      'websocket 1',
      'websocket 2',
    ]);
    expect(steps[1]).toMatchObject({ transport: 'sse', sets: ['target.replicas=2', 'stages.a.duration=5s'] });
  });

  test('shuffled has the same runs', () => {
    const text = 'suite: s\norder: shuffled\nscenarios: [a, b, c, d, e]\n';
    const steps = stepsOf(text).map(({ scenario }) => scenario);
    expect([...steps].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test.each([
    ['suite: s\nscenarios: []\n', /2:12/],
    ['suite: s\nscenarios: [smoke]\npuase: 1s\n', /3:1 unknown key `puase`/],
    ['suite: s\nscenarios: [{ scenario: smoke, afterFailure: retry }]\n', /2:46/],
    ['suite: s\nscenarios: [smoke]\nmatrix: { transprot: [sse] }\n', /3:9 there is no axis `transprot`/],
    ['suite: s\nscenarios: [smoke]\nmatrix: { transport: [carrier-pigeon] }\n', /`carrier-pigeon` is no transport/],
    ['suite: s\nscenarios: [smoke]\nmatrix: { replicas: [1, 2, 1] }\n', /the axis replicas has a value twice/],
    [
      `suite: s\nscenarios: [smoke]\nmatrix: { clients: [${Array.from({ length: 501 }, (_, at) => at)}] }\n`,
      /501 runs/,
    ],
  ])('that is wrong says where: %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('a matrix on the command line', () => {
  test('makes the runs', () => {
    const result = matrixSteps(['smoke'], ['replicas=1,2', 'era=legacy,modern']);
    expect(result.ok && result.suite.steps.map(({ era, sets }) => [era, sets])).toEqual([
      ['legacy', ['target.replicas=1']],
      ['modern', ['target.replicas=1']],
      ['legacy', ['target.replicas=2']],
      ['modern', ['target.replicas=2']],
    ]);
  });

  test.each(['replicas', 'nothing=1', 'era=old'])('`%s` is refused', (written) => {
    const result = matrixSteps(['smoke'], [written]);
    expect(result.ok).toBe(false);
  });
});

test('the suites in docs/suites.md are suites', () => {
  const blocks = blocksOf(textOf('docs/suites.md'), 'yaml');
  expect(blocks.map((block) => stepsOf(block).length)).toEqual([3, 9]);
});
