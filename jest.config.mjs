/** Jest runs the compiled tests (every `*.test.js` below `dist`), so it needs no transformer. `npm test` is the way in. */
const junit = ['jest-junit', { outputDirectory: '.build', outputName: 'junit.xml' }];

export default {
  rootDir: 'dist',
  testEnvironment: 'node',
  testMatch: ['**/*.test.js'],
  transform: {},
  testTimeout: 60_000,
  // One at a time: several tests measure time on real sockets and must not take each other's cores.
  maxWorkers: 1,
  reporters: ['default', '<rootDir>/../tools/count-reporter.mjs', ...(process.env.CI ? [junit] : [])],
};
