/** Faults of known size measure as that size, and faults without strength change nothing. */
import { describe, expect, test } from '@jest/globals';
import { once } from '../support/once.js';
import { run, type ScenarioFile, simpleScenario } from '../support/swarmbench.js';

const callers = {
  clients: 4,
  arrivals: { rate: '10/s' },
  timeout: '10s',
  maxInFlight: 64,
  pipeline: 16,
  connections: 4,
};

function scenario(seconds: number, faults: readonly ScenarioFile[], target: ScenarioFile): ScenarioFile {
  return simpleScenario(callers, seconds, { target: { server: 'reference', ...target }, faults, drain: '10s' });
}

const known = once(() =>
  run({
    scenario: scenario(
      24,
      [
        { at: '5s', kind: 'partition', for: '5s', allowTotal: true },
        { at: '18s', kind: 'delay', delay: '80ms', for: '4s', allowTotal: true },
      ],
      { replicas: 1 },
    ),
  }),
);

describe('a fault of known size', () => {
  test('a partition for 5 s is an outage of 5 s within half a second', async () => {
    const effects = (await known()).report.faults[0]?.effects;
    expect(effects?.outageSeconds).toBeGreaterThanOrEqual(4.5);
    expect(effects?.outageSeconds).toBeLessThanOrEqual(5.5);
    expect(effects?.unavailableSeconds).toBeGreaterThanOrEqual(4.5);
    expect(effects?.unavailableSeconds).toBeLessThanOrEqual(6);
  });

  test('a delay of 80 ms shifts the p50 by 80 ms within 5 ms', async () => {
    const phases = (await known()).report.faults[1]?.effects?.phases;
    const shift = (phases?.fault.p50Ms ?? 0) - (phases?.before.p50Ms ?? 0);
    expect(shift).toBeGreaterThan(75);
    expect(shift).toBeLessThan(85);
  });
});

test('faults without strength move no figure, and have their witness', async () => {
  const target = { replicas: 3 };
  const nothing = [
    { at: '5s', kind: 'delay', delay: '0ms', replica: 1, for: '5s' },
    { at: '5s', kind: 'rate', rate: '1 GB/s', replica: 2, for: '5s' },
    { at: '5s', kind: 'reset', reset: '0%', replica: 3, for: '5s' },
  ];
  const { report } = await run({ scenario: scenario(14, nothing, target) });
  expect(report.verdict.kind).toBe('passed');
  expect(report.summary.failed + report.summary.lost).toBe(0);
  for (const { effects, evidence } of report.faults) {
    expect(evidence).toBeDefined();
    expect(effects?.phases.fault.failed).toBe(0);
    expect(effects?.unavailableSeconds).toBeLessThan(0.3);
    const shift = (effects?.phases.fault.p50Ms ?? 0) - (effects?.phases.before.p50Ms ?? 0);
    // The noise of a busy machine grows with what everything takes there.
    expect(Math.abs(shift)).toBeLessThan(3 + (effects?.phases.before.p50Ms ?? 0) / 2);
  }
});
