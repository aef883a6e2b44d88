/**
 * Jest's own runner with a limit on how many test files run at once. Jest makes one runner for all lanes with the same
 * limit, whose files share it, and lets the runners run one after the other.
 */
import TestRunner from 'jest-runner';

export default class LaneRunner extends TestRunner {
  /** @param lane {{atOnce: number}} fewer when the command line says so (`--maxWorkers 1`) */
  constructor(globalConfig, context, { atOnce }) {
    const maxWorkers = Math.min(atOnce, globalConfig.maxWorkers);
    super({ ...globalConfig, maxWorkers }, context);
    this.isSerial = maxWorkers === 1;
  }
}
