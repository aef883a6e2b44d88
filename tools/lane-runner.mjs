/**
 * Jest's own runner with a limit on how many test files run at once: one lane of `jest.config.mjs`. Jest runs its lanes
 * one after the other, so files of different lanes never run at the same time.
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
