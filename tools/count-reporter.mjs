/** Jest reporter that leaves the counts for `tools/test.mjs`. A file that could not run at all counts as a failure. */
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  onRunComplete(_contexts, results) {
    const path = process.env.SWARMBENCH_TEST_SUMMARY;
    if (path === undefined) return;
    writeFileSync(
      path,
      JSON.stringify({
        passed: results.numPassedTests,
        failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
        skipped: results.numPendingTests + results.numTodoTests,
      }),
    );
  }
}
