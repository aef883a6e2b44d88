/** Pages over several runs, by the commands that write them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { testHost } from '../../tests/support/cli/test-host.js';
import { richOptions, richPlan, runFolder } from '../../tests/support/report/run-folder.js';
import { tempFolder } from '../../tests/support/temp-folder.js';
import { mulberry32, normals } from '../analysis/statistics/distributions.js';
import { main } from '../cli/cli.js';
import { type Report, reportSchema } from '../report/schema.js';
import { writeReport } from '../report/write-report.js';
import { entryOf, type HistoryEntry } from './history.js';
import { readSpectrum, type SpectrumChoices } from './read-spectrum.js';
import { rowOf, rowWithout, type SuiteDocument, suiteDocument } from './suite-document.js';
import { renderSuite } from './suite-page.js';
import { renderSuiteJunit, renderSuiteMarkdown } from './suite-text.js';

let report: Report;
let written: Readonly<Record<string, Buffer>>;

beforeAll(async () => {
  await using run = await runFolder(richPlan(), richOptions);
  report = await writeReport(run.path);
  const names = readdirSync(run.path).filter((name) => !name.endsWith('.part'));
  written = Object.fromEntries(names.map((name) => [name, readFileSync(join(run.path, name))]));
});

/** A results folder with the run in it. */
function resultsWith(...ids: readonly string[]): string {
  const folder = tempFolder();
  for (const id of ids) {
    mkdirSync(join(folder, id));
    for (const [name, content] of Object.entries(written)) writeFileSync(join(folder, id, name), content);
  }
  return folder;
}

async function command(cwd: string, ...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const host = testHost(args, { cwd });
  const code = await main(host);
  return { code, out: host.out(), err: host.err() };
}

const ID = '20261101-000000-mixed-workload-aaaa';

describe('a spectrum', () => {
  const choices = (folder: string): SpectrumChoices => ({ results: folder, cwd: folder, histogram: 'latency' });

  test('of a report, of its .hgrm and of its .hlog is the same', () => {
    const folder = resultsWith(ID);
    const [ofReport, ...ofFiles] = [ID, `${ID}/latency.hgrm`, `${ID}/latency.hlog`].map(
      (name) => readSpectrum(name, choices(folder)).distribution,
    );
    for (const one of ofFiles) {
      expect(one.totalCount).toBe(ofReport?.totalCount);
      for (const percentile of [0, 50, 90, 95, 99, 100]) {
        const wanted = ofReport?.getValueAtPercentile(percentile) ?? NaN;
        // The .hgrm has five steps to each half distance, and microseconds to three digits.
        expect(one.getValueAtPercentile(percentile) / wanted).toBeGreaterThan(0.99);
        expect(one.getValueAtPercentile(percentile) / wanted).toBeLessThan(1.06);
      }
    }
  });

  test('of wrk2 is read', () => {
    const folder = tempFolder();
    const text = [
      'Running 30s test @ http://127.0.0.1:80/index.html',
      '  Detailed Percentile spectrum:',
      '       Value   Percentile   TotalCount 1/(1-Percentile)',
      '',
      '       0.921     0.000000            1         1.00',
      '       4.053     0.500000         5000         2.00',
      '       6.200     0.900000         9000        10.00',
      '      27.647     1.000000        10000          inf',
      '#[Mean    =        3.1, StdDeviation   =        1.2]',
    ].join('\n');
    writeFileSync(join(folder, 'wrk2.txt'), text);
    const { name, distribution } = readSpectrum('theirs=wrk2.txt', choices(folder));
    expect([name, distribution.totalCount]).toEqual(['theirs', 10_000]);
    const at = [0, 50, 80, 90, 99, 100].map((percentile) => distribution.getValueAtPercentile(percentile) / 1000);
    expect(at).toEqual([0.921, 4.053, 6.2, 6.2, 27.647, 27.647].map((value) => expect.closeTo(value, 6)));
  });

  test('is drawn over others, with the thresholds of the reports and those given', async () => {
    const folder = resultsWith(ID);
    const args = ['plot', `a=${ID}`, `b=${ID}/latency.hgrm`, '--out', '.', '--threshold', '150ms'];
    const { code, out } = await command(folder, ...args);
    expect([out, code]).toEqual([out, 0]);
    expect(out).toMatch(/p99\.9[^]*^a .*\n^b .*\nplot: plot\.html/m);
    const page = readFileSync(join(folder, 'plot.html'), 'utf8');
    expect(page.match(/<path class="line/g)).toHaveLength(2);
    expect(page).toContain('>150ms</text>');
    expect(page).toContain('latency.p95 &lt; 200');
  });

  test.each([
    [['nowhere'], 'there is no `nowhere`'],
    [[ID, '--histogram', 'no/such'], 'has no histogram `no/such`'],
    [[`${ID}/report.md`], 'holds no percentile distribution'],
    [[`${ID}/latency.hlog`, '--tag', 'x'], 'has no interval with the tag x'],
    [[`${ID}/timeline.csv`], 'holds no percentile distribution'],
    [['broken.hlog'], 'broken.hlog'],
    [['list.json'], 'is not the report of a run'],
    [[ID, '--threshold', 'soon'], '`soon` is no duration'],
    [[ID, '--output', 'no/where.html'], 'there is no folder'],
  ])('%j is refused', async (args, says) => {
    const folder = resultsWith(ID);
    writeFileSync(join(folder, 'broken.hlog'), '#[Histogram log format version 1.3]\n0.1,1.0,2.0,HISTgarbage\n');
    writeFileSync(join(folder, 'list.json'), '[1, 2]');
    const { code, err } = await command(folder, 'plot', ...args, '--out', '.');
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
  });
});

describe('the history', () => {
  test('has a line for each run, each once', async () => {
    const folder = resultsWith(ID);
    const first = await command(folder, 'history', 'add', ID, '--out', '.');
    expect([first.err, first.code]).toEqual(['', 0]);
    const again = await command(folder, 'history', 'add', `${ID}/report.json`, '--out', '.');
    expect(again.out).toContain('is in it already');
    const lines = readFileSync(join(folder, 'history.jsonl'), 'utf8').split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual(JSON.parse(JSON.stringify(entryOf(reportSchema.parse(report)))));
  });

  test('shows where a level changed, on the terminal and on the page', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'history.jsonl'), historyOf(30, 1.3));
    const shown = await command(folder, 'history', 'show', '--file', 'history.jsonl');
    expect([shown.err, shown.code]).toEqual(['', 0]);
    expect(shown.out).toMatch(/hint: latency p95 of ci seems to have changed from .* to .* with run-1[4-6]$/m);
    expect(shown.out).not.toContain('throughput of ci');
    await command(folder, 'history', 'html', '--file', 'history.jsonl', '--scenario', 'ci');
    const page = readFileSync(join(folder, 'history.html'), 'utf8');
    expect(page).toContain('class="mark-text"');
    expect(page).toContain('commit=15');
  });

  test('without a run, or with a line that is not its own, says so', async () => {
    const folder = tempFolder();
    expect((await command(folder, 'history', 'show')).err).toContain('HISTORY_EMPTY');
    writeFileSync(join(folder, 'history.jsonl'), `${historyOf(2, 1)}{"x":1}\n`);
    const { code, err } = await command(folder, 'history', 'html', '--file', 'history.jsonl');
    expect([code, err]).toEqual([2, expect.stringContaining('history.jsonl:3 is no line')]);
    expect((await command(folder, 'history', 'add', 'nothing')).err).toContain('there is no report of nothing');
  });

  /** Runs a day apart, whose latency is `factor` times as long from the middle on. */
  function historyOf(runs: number, factor: number): string {
    const normal = normals(mulberry32(7));
    return Array.from({ length: runs }, (_, at): string => {
      const noise = Math.exp(0.04 * normal());
      const p95 = 100 * noise * (at >= runs / 2 ? factor : 1);
      const entry: HistoryEntry = {
        schemaVersion: 1,
        runId: `run-${at}`,
        scenario: 'ci',
        startedAt: new Date(Date.UTC(2026, 0, 1 + at)).toISOString(),
        verdict: 'passed',
        labels: { commit: String(at) },
        fingerprint: 'f',
        figures: {
          offered: 100,
          sent: 100,
          failed: 0,
          throughputPerSecond: 100 + normal(),
          errorRate: 0,
          latencyMs: { p50: p95 / 2, p95, p99: p95 * 2 },
        },
      };
      return `${JSON.stringify(entry)}\n`;
    }).join('');
  }
});

describe('results', () => {
  const ids = ['20261101-000000-a-aaaa', '20261102-000000-a-bbbb', '20261103-000000-b-cccc', '20261104-000000-a-dddd'];

  test('lists runs with scenario, verdict and size, newest first', async () => {
    const folder = resultsWith(...ids.slice(0, 2));
    const { out } = await command(folder, 'results', '--out', '.', '--json');
    const { runs } = JSON.parse(out) as { runs: { scenario: string; state: string; bytes: number }[] };
    expect(runs).toHaveLength(2);
    expect(runs[0]).toMatchObject({ scenario: 'mixed-workload', bytes: expect.any(Number) });
    expect((await command(folder, 'results', 'list', '--out', '.', '--scenario', 'other')).out).toContain('no run');
    expect((await command(folder, 'results', 'show', ids[0] ?? '', '--out', '.')).out).toContain('mixed-workload: ');
    expect((await command(folder, 'results', 'show', 'none', '--out', '.')).code).toBe(2);
  });

  test('prunes the oldest runs and the pages about them, but no run that is on', async () => {
    const folder = resultsWith(...ids);
    const pages = ['suite-20261101-120000-s-eeee', 'compare-20261105-000000-a-ffff'];
    for (const page of pages) mkdirSync(join(folder, page));
    writeFileSync(join(folder, 'noise.json'), '{}');
    writeFileSync(join(folder, ids[0] ?? '', 'controller.lease'), '');
    const before = readdirSync(folder).toSorted();
    const dry = await command(folder, 'results', 'prune', '--keep', '1', '--out', '.', '--dry-run');
    expect(dry.out).toContain(`would delete ${ids[1]}`);
    expect(readdirSync(folder).toSorted()).toEqual(before);
    await command(folder, 'results', 'prune', '--keep', '1', '--out', '.');
    expect(readdirSync(folder).toSorted()).toEqual([ids[0], ids[3], ...pages, 'noise.json'].toSorted());
    // A minute later its controller is gone.
    const old = new Date(Date.now() - 120_000);
    utimesSync(join(folder, ids[0] ?? '', 'controller.lease'), old, old);
    await command(folder, 'results', 'prune', '--keep', '1', '--out', '.');
    expect(readdirSync(folder).toSorted()).toEqual([ids[3], pages[1], 'noise.json'].toSorted());
  });

  test('prunes by size, and not without knowing what to keep', async () => {
    const folder = resultsWith(...ids);
    const bytes = Object.values(written).reduce((sum, content) => sum + content.length, 0);
    const size = `${Math.ceil((bytes * 2.5) / 1024)}KB`;
    await command(folder, 'results', 'prune', '--max-size', size, '--out', '.');
    expect(readdirSync(folder).toSorted()).toEqual(ids.slice(2));
    for (const wrong of [[], ['--max-size', 'small']])
      expect((await command(folder, 'results', 'prune', ...wrong, '--out', '.')).code).toBe(2);
    expect(existsSync(join(folder, ids[2] ?? ''))).toBe(true);
  });
});

describe('a suite', () => {
  const document = (): SuiteDocument => {
    const planned = (title: string, replicas: string) => ({ scenario: 's', title, axes: { replicas }, trial: 1 });
    const rows = [
      rowOf(planned('one', '1'), '../one', report),
      rowOf(planned('<two>', '2'), '../two', report),
      rowWithout(planned('three', '2'), { verdict: 'skipped', reasons: ['two failed before it'], exitCode: null }),
    ];
    return suiteDocument.parse({
      schemaVersion: 1,
      id: 'suite-x',
      name: 'nightly',
      version: '0',
      command: 'swarmbench run',
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:00:00.000Z',
      exitCode: 99,
      verdict: 'incomplete',
      axes: [{ name: 'replicas', values: ['1', '2'] }],
      rows,
    });
  };

  test('is one page with a row a run, links and a chart over the axis', () => {
    const page = renderSuite(document());
    expect(page).toContain('href="../one/report.html"');
    expect(page).toContain('&lt;two&gt;');
    expect(page).toContain('Latency p95 by replicas');
    expect(page).not.toContain('<script');
    expect(page.match(/<circle /g)).toHaveLength(4);
  });

  test('is one Markdown table, and one JUnit file whose counts are those of its cases', () => {
    expect(renderSuiteMarkdown(document()).match(/^\| /gm)).toHaveLength(5);
    const junit = renderSuiteJunit(document());
    const [, tests, failures, skipped] =
      /<testsuites [^>]*tests="(\d+)" failures="(\d+)" [^>]*skipped="(\d+)"/.exec(junit) ?? [];
    expect(junit.match(/<testcase /g)).toHaveLength(Number(tests));
    expect(junit.match(/<failure /g)?.length ?? 0).toBe(Number(failures));
    expect(skipped).toBe('1');
  });
});
