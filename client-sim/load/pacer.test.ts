import { afterEach, describe, expect, test } from '@jest/globals';
import { Metronome } from './metronome.js';
import { createPacer, finestPacing, MOST_EXACT, pacingFor } from './pacer.js';

let metronome: Metronome | undefined;
afterEach(async () => {
  await metronome?.stop();
  metronome = undefined;
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe.each(['batch', 'metronome', 'spin'] as const)('%s', (pacing) => {
  test('pumps until it is stopped, and lets timers run in between', async () => {
    if (pacing === 'metronome') metronome = new Metronome();
    const pacer = createPacer(pacing, metronome?.ticks);
    let pumps = 0;
    let beats = 0;
    pacer.start(
      () => pumps++,
      () => beats++,
      () => performance.now() + 0.2,
    );
    while (pumps < 20 || beats < 5) await sleep(1);
    pacer.stop();
    await sleep(5);
    const stopped = pumps;
    await sleep(20);
    expect(pumps).toBe(stopped);
  });
});

test('a profile that does not say is paced by the rate of its worker', () => {
  expect(pacingFor('auto', 200)).toBe('metronome');
  expect(pacingFor('auto', MOST_EXACT + 1)).toBe('batch');
  // A closed loop without pauses sends with each answer, whatever the clock says.
  expect(pacingFor('auto', 0)).toBe('batch');
  expect(pacingFor('spin', 200)).toBe('spin');
});

test('profiles on one thread get the finest pacing that any of them asks for', () => {
  expect(finestPacing(['batch', 'batch'])).toBe('batch');
  expect(finestPacing(['batch', 'metronome'])).toBe('metronome');
  expect(finestPacing(['spin', 'metronome'])).toBe('spin');
});

test('metronome pacing without a metronome is refused', () => {
  expect(() => createPacer('metronome', undefined)).toThrow(TypeError);
});
