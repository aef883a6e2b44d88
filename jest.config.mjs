/**
 * Jest runs the compiled tests (every `*.test.js` below `dist`), so it needs no transformer. `npm test` is the way in.
 */
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('./dist/', import.meta.url));
const junit = ['jest-junit', { outputDirectory: '.build', outputName: 'junit.xml' }];

/** Whole runs on this machine. */
const runs = 'tests/local/(?!latency|keys|capacity|verdicts|command-line|own-faults|secrets|counts)|tests/third-party/';
/** Whole stacks under load: two at once are too many for two cores. */
const stacks = 'tests/swarm/(?:run|scaling|stack|nodes)\\b';
/** What these hold against each other are milliseconds, rates, verdicts; or they look at all that an engine runs. */
const alone =
  'tests/local/(?:latency|keys|capacity|verdicts|command-line|own-faults|secrets|counts)|harness/cli/remote/|tests/swarm/(?:agent|kernel)';
/**
 * Everything else: parts of the programs, what makes the images that the stacks want, and small stacks with names of
 * their own.
 */
const parts = `(?!${runs}|${stacks}|${alone})`;

/**
 * Jest runs the lanes one after the other.
 * @param atOnce how many files are under way: on two cores too, since tests wait more than they compute
 */
const lane = (displayName, atOnce, places) => ({
  displayName,
  rootDir: 'dist',
  testEnvironment: 'node',
  testRegex: `^${dist.replace(/[^\w/]/g, '\\$&')}(?=${places}).*\\.test\\.js$`,
  transform: {},
  runner: ['<rootDir>/../tools/lane-runner.mjs', { atOnce }],
});

export default {
  projects: [lane('parts', 3, parts), lane('runs', 2, runs), lane('stacks', 1, stacks), lane('alone', 1, alone)],
  // What a test waits for comes, however late on a busy machine; what does not come, nobody waits for often.
  testTimeout: 180_000,
  // Of any lane; what jest takes by itself is one less than there are cores.
  maxWorkers: 3,
  // Where the machine is busy, the end of a process takes longer than the half second that jest gives it.
  workerGracefulExitTimeout: 10_000,
  reporters: ['default', './tools/count-reporter.mjs', ...(process.env.CI ? [junit] : [])],
};
