/**
 * Jest reporter that leaves counts, the time of each lane and the failures for `tools/test.mjs`. A file that could not
 * run at all counts as a failure.
 */
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  onRunComplete(_contexts, results) {
    const path = process.env.SWARMBENCH_TEST_SUMMARY;
    if (path === undefined) return;
    const failures = results.testResults.flatMap(({ testFilePath, testExecError, testResults }) => [
      ...(testExecError === undefined ? [] : [`${testFilePath} could not run`]),
      ...testResults
        .filter(({ status }) => status === 'failed')
        .map(({ ancestorTitles, title }) => [testFilePath, ...ancestorTitles, title].join(' > ')),
    ]);
    writeFileSync(
      path,
      JSON.stringify({
        passed: results.numPassedTests,
        failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
        skipped: results.numPendingTests + results.numTodoTests,
        lanes: lanesOf(results.testResults),
        failures,
      }),
    );
  }
}

function lanesOf(testResults) {
  const lanes = new Map();
  for (const { displayName, perfStats, numPassingTests, numFailingTests } of testResults) {
    const name = displayName?.name ?? '';
    const lane = lanes.get(name) ?? { name, files: 0, tests: 0, startedAt: Infinity, endedAt: 0 };
    lane.files += 1;
    lane.tests += numPassingTests + numFailingTests;
    lane.startedAt = Math.min(lane.startedAt, perfStats.start || Infinity);
    lane.endedAt = Math.max(lane.endedAt, perfStats.end);
    lanes.set(name, lane);
  }
  return [...lanes.values()];
}
