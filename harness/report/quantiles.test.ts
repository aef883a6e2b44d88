/** The quantiles that a scenario asks for, everywhere. */
import { expect, test } from '@jest/globals';
import { richOptions, richPlan, runFolder } from '../../tests/support/report/run-folder.js';
import { renderVerdict } from '../cli/terminal/render-verdict.js';
import { plain } from '../cli/terminal/style.js';
import { reportSchema } from './schema.js';
import { artifacts, writeReport } from './write-report.js';

async function reportWith(quantiles?: readonly number[]) {
  const plan = { ...richPlan(), ...(quantiles === undefined ? {} : { quantiles }) };
  await using run = await runFolder(plan, richOptions);
  return reportSchema.parse(await writeReport(run.path));
}

test('are in tables, charts, terminal, Markdown, JUnit and CSV alike, and agree', async () => {
  const [asked, usual] = [await reportWith([75, 95, 99.95]), await reportWith()];
  const { quantiles, p95 } = asked.summary.latencyMs;
  expect(Object.keys(quantiles ?? {})).toEqual(['p75', 'p95', 'p99.95']);
  expect(quantiles?.p95).toBe(p95);
  expect(quantiles?.p75).toBeLessThanOrEqual(p95 ?? NaN);
  // What is not asked for stays as it was.
  expect({ ...asked.summary.latencyMs, quantiles: undefined }).toEqual({
    ...usual.summary.latencyMs,
    quantiles: undefined,
  });
  expect(usual.summary.latencyMs).not.toHaveProperty('quantiles');
  for (const row of [...asked.operations, ...asked.profiles, ...asked.stages])
    expect(Object.keys(row.latencyMs.quantiles ?? {})).toEqual(['p75', 'p95', 'p99.95']);

  const page = artifacts['report.html'](asked);
  expect(page).toContain('Latency p99.95');
  expect(page).not.toContain('Latency p50');
  expect(page).toContain('<th scope="col">p99.95</th>');
  const chart = /<figure id="percentiles">[^]*?<\/figure>/.exec(page)?.[0] ?? '';
  for (const name of ['p75', 'p95', 'p99.95']) expect(chart).toContain(`</svg>${name}</li>`);
  expect(chart).not.toContain('</svg>p50</li>');
  const terminal = renderVerdict({ report: asked, reportFile: 'x', failure: undefined }, plain);
  expect(terminal).toMatch(/latency +p75 .*, p95 .*, p99\.95 .*, max/);
  expect(artifacts['report.md'](asked)).toMatch(/Latency from due time \| p75 .*, p95 .*, p99\.95 /);
  expect(artifacts['junit.xml'](asked)).toContain('<property name="latency.p99.95"');
  expect(artifacts['timeline.csv'](asked).split('\n')[0]).toMatch(/,p75Ms,p99\.95Ms$/);
  expect(artifacts['timeline.csv'](usual).split('\n')[0]).not.toContain('p75');
});
