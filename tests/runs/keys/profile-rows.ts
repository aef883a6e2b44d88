import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Rows } from '../../support/key-rows.js';
import { operationTotals } from '../../support/run-files.js';
import { swarmbench, writeScenario } from '../../support/swarmbench.js';
import { tempFolder } from '../../support/temp-folder.js';
import { briefRuns, everyToolRun, refusal, tooShort, twoErasRun, validatedRun } from './runs.js';

/** Without a gateway; with one it is told from the server's side in the tests on a Swarm. */
async function stickyIsRefused(): Promise<void> {
  return expect(
    await refusal({ workload: { caller: { profile: 'low-load', gateway: { sticky: 'cookie' } } } }),
  ).toContain('workload.caller.gateway.sticky: cookie needs a gateway');
}

/** A profile file whose own name is another one. */
async function fileNameIsHeldAgainstName(): Promise<void> {
  const folder = tempFolder();
  mkdirSync(join(folder, 'profiles'));
  writeFileSync(
    join(folder, 'profiles', 'mine.yaml'),
    JSON.stringify({ name: 'yours', clients: 1, thinkTime: '0ms', operations: [{ tool: 'echo' }] }),
  );
  const { code, stdout, stderr } = await swarmbench([
    'validate',
    writeScenario({ name: 'named', workload: { mine: {} }, stages: [{ name: 'a', duration: '1s' }] }, folder),
  ]);
  expect(code).toBe(2);
  expect(stdout + stderr).toContain('a profile has the name of its file');
}

export const profileRows: Rows = {
  'profile.name': fileNameIsHeldAgainstName,
  'profile.gateway': stickyIsRefused,
  'profile.gateway.sticky': stickyIsRefused,
  'profile.era': async () => {
    const { protocols } = (await twoErasRun()).report.environment as {
      readonly protocols: Readonly<Record<string, { readonly era: string }>>;
    };
    expect([protocols.old?.era, protocols.new?.era]).toEqual(['legacy', 'modern']);
    expect((await twoErasRun()).report.profiles.map(({ succeeded, failed }) => [succeeded > 0, failed])).toEqual([
      [true, 0],
      [true, 0],
    ]);
  },
  'profile.onClose': async () => {
    const { deleting, abandoning, resetting } = await briefRuns();
    expect([deleting, abandoning, resetting].map(({ log }) => log.sessionsOpened)).toEqual([2, 2, 2]);
    expect([deleting, abandoning, resetting].map(({ log }) => log.sessionsDeleted)).toEqual([2, 0, 0]);
    expect(resetting.log.connectionsReset).toBeGreaterThanOrEqual(2);
    expect(abandoning.log.connectionsReset).toBe(0);
  },
  'profile.operations.tools': async () => {
    // `reset_counters` is the reference server's destructive tool.
    const { telemetry, output } = await everyToolRun();
    expect(output).toMatch(/leaves out reset_counters: it calls itself destructive/);
    const called = operationTotals(telemetry);
    expect(called.get('echo')?.sent).toBeGreaterThan(0);
    expect([...called.keys()]).not.toContain('reset_counters');
  },
  'profile.operations.*.validate': async () => {
    const { report } = await validatedRun();
    const outcomes = report.profiles.map(({ name, succeeded, failed }) => [name, succeeded > 0, failed > 0]);
    expect(outcomes).toEqual([
      ['none', true, false],
      ['sample', false, true],
      ['all', false, true],
    ]);
    expect(JSON.stringify(report.errors)).toContain("structuredContent does not match the tool's outputSchema");
  },
  'profile.operations.*.expect.size.min': async () => {
    const { code, output } = await tooShort();
    expect(code).toBe(3);
    expect(output).toMatch(/expectation: an answer of \d+ bytes, fewer than 10000/);
  },
};
