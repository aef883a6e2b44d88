/** Jest runs the compiled tests (every `*.test.js` below `dist`), so it needs no transformer. `npm test` is the way in. */
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));
const junit = [
  'jest-junit',
  { outputDirectory: '.build', outputName: `junit-${process.env.SWARMBENCH_TEST_GROUP ?? 'given'}.xml` },
];

/**
 * A lane is a folder; `tools/test.mjs` says which lanes run at the same time.
 * @param atOnce how many test files of the lane are under way
 */
function lane(displayName, atOnce, folders) {
  return {
    displayName,
    rootDir: 'dist',
    testEnvironment: 'node',
    testRegex: `^${dist.replace(/[^\w/]/g, '\\$&')}(?:${folders}).*\\.test\\.js$`,
    transform: {},
    runner: ['<rootDir>/../tools/lane-runner.mjs', { atOnce }],
  };
}

export default {
  projects: [
    // Parts of the programs, beside their code; and what holds of the whole tree.
    lane('unit', 3, '(?!tests/)|tests/tree/'),
    // Whole programs: workers, controllers, servers.
    lane('programs', 2, 'tests/programs/|tests/servers/|tests/conformance/'),
    // Whole runs on this machine, against our servers and other people's.
    lane('runs', 2, 'tests/runs/|tests/third-party/'),
    // What asks a Docker engine for images, small stacks and answers.
    lane('engine', 1, 'tests/engine/'),
    // Our whole stack on a swarm, under load.
    lane('stacks', 1, 'tests/stacks/'),
    // What compares milliseconds, rates, exit codes and verdicts, or looks at everything that an engine runs.
    lane('alone', 1, 'tests/alone/'),
  ],
  // What a test waits for comes, however late on a busy machine; a wait for what never comes is rare.
  testTimeout: 180_000,
  maxWorkers: 3,
  // On a busy machine a process takes longer to end than the half second that jest gives it.
  workerGracefulExitTimeout: 10_000,
  reporters: ['default', './tools/count-reporter.mjs', ...(process.env.CI ? [junit] : [])],
};
