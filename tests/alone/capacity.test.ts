import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { capacityDocument } from '../../harness/report/capacity/document.js';
import { wrongly } from '../servers/behaviours.js';
import type { Behaviour } from '../servers/call.js';
import { startTestServer } from '../servers/test-server.js';
import { simpleScenario, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

/** Takes so many calls a second, with some room for calls that come together, and refuses the others. */
function bears(perSecond: number, burst: number): Behaviour {
  let room = burst;
  let at: number | undefined;
  return (call) => {
    const now = performance.now();
    room = Math.min(burst, room + ((now - (at ?? now)) / 1000) * perSecond);
    at = now;
    if (room < 1) return wrongly.serverError(call);
    room -= 1;
    call.answer();
  };
}

describe('a capacity search', () => {
  test('finds what a server bears, confirms it, and leaves a page, a document and the report of each run', async () => {
    const { url } = await startTestServer({ behaviour: bears(60, 15) });
    const folder = tempFolder();
    const file = writeScenario(
      simpleScenario({ clients: 4, arrivals: { rate: '10/s' } }, 2, { drain: '1s', thresholds: ['errors.rate < 1%'] }),
      folder,
    );
    const results = join(folder, 'results');
    const { code, stdout, stderr } = await swarmbench([
      'capacity',
      file,
      '--target',
      url,
      '--out',
      results,
      '--precision',
      '0.6',
      '--confirm',
      '1',
      '--json',
    ]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const document = capacityDocument.parse(JSON.parse(stdout));
    const {
      capacity: { metPerSecond, unmetPerSecond, end },
      probes,
    } = document;
    expect(end).toBe('converged');
    // Above 70/s the room for calls that come together is used up within two seconds, and 1 % of errors with it.
    expect(metPerSecond).toBeLessThan(70);
    expect(unmetPerSecond).toBeGreaterThan(metPerSecond ?? NaN);
    expect((unmetPerSecond ?? NaN) / (metPerSecond ?? NaN)).toBeLessThanOrEqual(1.61);
    expect(
      probes.filter(({ askedPerSecond, outcome }) => askedPerSecond === metPerSecond && outcome === 'met'),
    ).toHaveLength(2);
    for (const { runId, askedPerSecond, offeredPerSecond, outcome } of probes) {
      const report = JSON.parse(readFileSync(join(results, runId, 'report.json'), 'utf8')) as { exitCode: number };
      expect({ outcome, exitCode: report.exitCode }).toEqual({ outcome, exitCode: outcome === 'met' ? 0 : 99 });
      expect(Math.abs(offeredPerSecond - askedPerSecond)).toBeLessThanOrEqual(0.1 * askedPerSecond + 2);
    }
    const own = join(results, document.id);
    expect(readdirSync(own).sort()).toEqual(['capacity.html', 'capacity.json']);
    expect(capacityDocument.parse(JSON.parse(readFileSync(join(own, 'capacity.json'), 'utf8')))).toEqual(document);
    const page = readFileSync(join(own, 'capacity.html'), 'utf8');
    const links = [...page.matchAll(/href="(\.\.\/[^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links).toHaveLength(probes.length);
    for (const link of links) expect({ link, there: existsSync(join(own, link)) }).toEqual({ link, there: true });
    // Half a dozen runs, one after the other.
  }, 240_000);
});
