/**
 * Jest's own runner, told how many test files it may have under way: one lane of `jest.config.mjs`. Jest runs its lanes
 * one after the other, so files of one lane never meet those of another.
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
