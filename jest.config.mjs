/** Jest runs the compiled tests (`*.test.js` below `dist`), so it needs no transformer. `npm test` starts it. */
import { fileURLToPath } from 'node:url';
import { LANES, patternOf } from './tools/lanes.mjs';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));
const junit = [
  'jest-junit',
  { outputDirectory: '.build', outputName: `junit-${process.env.SWARMBENCH_TEST_GROUP ?? 'given'}.xml` },
];

export default {
  projects: LANES.map((lane) => ({
    displayName: lane.name,
    rootDir: 'dist',
    testEnvironment: '<rootDir>/../tools/test-environment.mjs',
    testRegex: patternOf(lane, dist),
    transform: {},
    runner: ['<rootDir>/../tools/lane-runner.mjs', { atOnce: lane.atOnce }],
  })),
  // What a test waits for comes, however late on a busy machine; a wait for what never comes is rare.
  testTimeout: 180_000,
  maxWorkers: Math.max(...LANES.map(({ atOnce }) => atOnce)),
  // On a busy machine a process takes longer to end than the half second that jest gives it.
  workerGracefulExitTimeout: 10_000,
  reporters: ['default', './tools/count-reporter.mjs', ...(process.env.CI ? [junit] : [])],
};
