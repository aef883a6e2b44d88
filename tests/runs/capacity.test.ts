import { describe, expect, test } from '@jest/globals';
import { simpleScenario, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

describe('a capacity search', () => {
  test('refuses what it could not search, before anything is started', async () => {
    const refused = async (scenario: Readonly<Record<string, unknown>>, ...args: string[]): Promise<string> => {
      const { code, stderr } = await swarmbench(['capacity', writeScenario(scenario), ...args]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused(simpleScenario({ thinkTime: '10ms' }, 1, { thresholds: ['errors.rate < 1%'] }))).toContain(
      'caller has none (thinkTime)',
    );
    expect(await refused(simpleScenario({ arrivals: { rate: '10/s' } }, 1))).toContain(
      'has no thresholds, so every rate would pass',
    );
    const fine = simpleScenario({ arrivals: { rate: '10/s' } }, 1, { thresholds: ['errors.rate < 1%'] });
    expect(await refused(fine, '--from', '20')).toContain('--from: `20` is not a rate');
    expect(await refused(fine, '--from', '20/s', '--most', '10/s')).toContain('above the highest allowed rate, 10/s');
    expect(await refused(fine, '--precision', '2')).toContain('--precision 2');
  });

  test('does not take a server that is not there for one that bears nothing', async () => {
    const { code, stderr } = await swarmbench([
      'capacity',
      writeScenario(simpleScenario({ arrivals: { rate: '10/s' } }, 1, { thresholds: ['errors.rate < 1%'] })),
      '--target',
      'http://127.0.0.1:9/mcp',
      '--out',
      tempFolder(),
    ]);
    expect(code).toBe(3);
    expect(stderr).toContain('was not completed');
  });
});
