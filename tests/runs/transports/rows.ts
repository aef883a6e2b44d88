import { expect } from '@jest/globals';
import type { Rows } from '../../support/key-rows.js';
import { swarmbench, writeScenario } from '../../support/swarmbench.js';
import { legacyRun, overAll, toolOf } from './run-over-all.js';

/** The server counts by tool, and each transport calls a tool of its own. */
async function eachTransportIsUsed(): Promise<void> {
  const { counts } = await legacyRun();
  for (const [answered, succeeded] of [counts[toolOf.websocket], counts[toolOf.tcp], counts[toolOf.sdk]].flatMap(
    (count) => (count === undefined ? [] : [count]),
  )) {
    expect(answered).toBe(succeeded);
    expect(succeeded).toBeGreaterThan(5);
  }
  const workload = { caller: { profile: 'low-load', transport: 'pigeon' } };
  const { code, stderr } = await swarmbench([
    'run',
    writeScenario({ name: 'refused', workload, stages: overAll.stages }),
  ]);
  expect(code).toBe(2);
  expect(stderr).toContain('streamable-http');
}

export const transportRows: Rows = { 'profile.transport': eachTransportIsUsed };
