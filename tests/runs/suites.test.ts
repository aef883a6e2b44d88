/** Several runs as one: real runs, and everything that is written about them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { suiteDocument } from '../../harness/overview/suite-document.js';
import { swarmbench } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

jest.setTimeout(240_000);

const scenario = {
  name: 'short',
  workload: { caller: { profile: 'low-load', operations: [{ list: 'tools' }], timeout: '60s' } },
  stages: [{ name: 'steady', duration: '1s' }],
  thresholds: ['errors.rate < 1%'],
};

test('a suite with a matrix and a failure that stops it', async () => {
  const folder = tempFolder();
  const results = join(folder, 'results');
  mkdirSync(results);
  writeFileSync(join(folder, 'short.yaml'), JSON.stringify(scenario));
  const suite = {
    suite: 'nightly',
    description: 'Short runs.',
    pause: '100ms',
    scenarios: [
      { scenario: './short.yaml', matrix: { transport: ['streamable-http', 'websocket'] } },
      {
        scenario: './short.yaml',
        title: 'Too much',
        set: { thresholds: ['throughput > 1000000/s'] },
        afterFailure: 'stop',
      },
      { scenario: './short.yaml', title: 'Left out' },
    ],
  };
  writeFileSync(join(folder, 'nightly.yaml'), JSON.stringify(suite));
  const junit = join(folder, 'junit.xml');
  const args = [join(folder, 'nightly.yaml'), '--out', results, '--workers', '1', '--threads', '1'];
  const { code, stdout, stderr } = await swarmbench(['run', ...args, '--junit', junit, '--json']);
  expect([stderr, [4, 99].includes(Number(code))]).toEqual([stderr, true]);
  const printed = JSON.parse(stdout);
  expect(printed.runs).toHaveLength(3);
  const document = suiteDocument.parse(JSON.parse(readFileSync(printed.suite.files['suite.json'], 'utf8')));
  expect(document).toMatchObject({
    name: 'nightly',
    verdict: 'incomplete',
    axes: [{ name: 'transport', values: ['streamable-http', 'websocket'] }],
  });
  expect(document.rows.map(({ title }) => title)).toEqual([
    'short (transport streamable-http)',
    'short (transport websocket)',
    'Too much',
    'Left out',
  ]);
  const [first, second, third, fourth] = document.rows;
  expect([first?.figures?.failed, second?.figures?.failed]).toEqual([0, 0]);
  expect(third?.thresholds).toMatchObject([{ check: 'throughput > 1000000/s', passed: false }]);
  expect(fourth).toMatchObject({ verdict: 'skipped', reasons: ['Too much failed before it'], figures: null });
  // Links lead to the reports.
  for (const row of document.rows.slice(0, 3))
    expect(existsSync(join(printed.suite.folder, row.folder ?? '', 'report.html'))).toBe(true);

  const page = readFileSync(printed.suite.files['index.html'], 'utf8');
  expect(page).toContain(`href="${third?.folder}/report.html"`);
  expect(page).toContain('Latency p95 by transport');
  expect(page).toContain('throughput &gt; 1000000/s');
  const markdown = readFileSync(printed.suite.files['suite.md'], 'utf8');
  expect(markdown.match(/^\| /gm)).toHaveLength(6);
  const xml = readFileSync(junit, 'utf8');
  expect(xml).toContain('<testsuites name="nightly" tests="7"');
  expect(xml.match(/<testsuite /g)).toHaveLength(4);
  expect(xml).toContain('<skipped message="Too much failed before it"/>');
});

test('a mistake in the last scenario is told before the first run', async () => {
  const folder = tempFolder();
  writeFileSync(
    join(folder, 's.yaml'),
    'suite: s\nscenarios: [smoke, { scenario: smoke, set: { stages.no.duration: 1s } }]\n',
  );
  const { code, stderr } = await swarmbench(['run', join(folder, 's.yaml'), '--out', folder]);
  expect(code).toBe(2);
  expect(stderr).toContain('no item `no` in `stages`');
});
