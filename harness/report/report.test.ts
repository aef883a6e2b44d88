import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import hdr from 'hdr-histogram-js';
import { foldRun } from '../../tests/support/analysis/fold-run.js';
import { check, samplePlan, sampleStage, threshold } from '../../tests/support/analysis/sample-plan.js';
import { sampleEvents, sampleTelemetry } from '../../tests/support/analysis/sample-run.js';
import { hostile, lines, richEvents, richOptions, richPlan, runFolder } from '../../tests/support/report/run-folder.js';
import { buildReport } from './build-report.js';
import { type Report, reportJsonSchema, reportSchema } from './schema.js';
import { artifacts, writeReport } from './write-report.js';

function rich(): Report {
  return buildReport(foldRun(sampleEvents(richPlan(), richEvents), sampleTelemetry(richPlan(), richOptions)));
}
function read(folder: string, name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

describe('report.json', () => {
  test.each<readonly [string, Report]>([
    ['a rich run', rich()],
    ['a run that never began', buildReport(foldRun(sampleEvents(samplePlan()).slice(0, 3), []))],
    ['a run of three trials', buildReport(trialsModel())],
  ])('of %s follows the published schema', (_, report) => {
    const validate = new Ajv2020({ strict: false }).compile(reportJsonSchema());
    const written: unknown = JSON.parse(JSON.stringify(report));
    expect(validate(written) ? [] : validate.errors).toEqual([]);
    expect(reportSchema.parse(written)).toEqual(written);
  });

  test('does not depend on the order of batches, nor on repeated ones', () => {
    const telemetry = sampleTelemetry(richPlan(), richOptions);
    const again = buildReport(
      foldRun(sampleEvents(richPlan(), richEvents), [...telemetry].reverse().concat(telemetry)),
    );
    expect(JSON.stringify(again)).toBe(JSON.stringify(rich()));
  });

  test('holds histograms that any HdrHistogram reads, and that agree with its summary', () => {
    const report = rich();
    const histogram = hdr.decodeFromCompressedBase64(report.histograms.latency ?? '');
    expect(histogram.totalCount).toBe(report.summary.latencyMs.count);
    expect(histogram.getValueAtPercentile(99) / 1000).toBe(report.summary.latencyMs.p99);
    expect(report.summary.latencyMs.count).toBe(
      report.timeline.slice(5).reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0),
    );
  });

  test('gives each trial and the interval of their median', () => {
    const { trials } = buildReport(trialsModel());
    expect(trials?.values.map(({ metrics }) => Math.round(metrics.latencyP50Ms ?? 0))).toEqual([1, 2, 3]);
    expect(trials?.intervals.latencyP50Ms).toMatchObject({ median: 2 });
  });

  test('says which replica answered what, by profile and in all', () => {
    const { affinity, replicas, summary } = rich();
    // 20 measured seconds of two workers, 4 sessions each.
    expect(affinity).toMatchObject({
      sessions: 640,
      moved: 160,
      moves: 320,
      unknown: 160,
      unattributed: summary.succeeded + summary.failed - 1600,
    });
    expect(affinity?.perProfile.map(({ profile, sticky, era, sessions }) => [profile, sticky, era, sessions])).toEqual([
      ['normal', null, 'legacy', 320],
      ['bulk', null, 'legacy', 320],
    ]);
    expect(
      affinity?.perReplica.map(({ share, succeeded, failed, errorRate }) => [share, succeeded, failed, errorRate]),
    ).toEqual([
      [0.5, 720, 80, 0.1],
      [0.5, 720, 80, 0.1],
    ]);
    expect(replicas[0]).toMatchObject({
      succeeded: 720,
      latencyMs: { count: 720 },
      sessions: { answered: 320, opened: 80, movedHere: 80, moves: 160, unknown: 80 },
    });
    const silent = samplePlan();
    expect(buildReport(foldRun(sampleEvents(silent), sampleTelemetry(silent))).affinity).toBeNull();
  });

  test('never shows header values of the target', () => {
    const plan = samplePlan({
      target: {
        kind: 'url',
        urls: ['http://127.0.0.1:1/mcp?key=hush'],
        headers: { authorization: 'Bearer hush' },
        era: 'auto',
      },
    });
    expect(JSON.stringify(buildReport(foldRun(sampleEvents(plan), sampleTelemetry(plan))))).not.toContain('hush');
  });
});

describe('writing the report', () => {
  test('makes every artifact from the log alone, and the same ones each time', async () => {
    await using folder = await runFolder(richPlan(), richOptions, richEvents);
    const names = ['report.json', ...Object.keys(artifacts)];
    await writeReport(folder.path);
    const first = await Promise.all(names.map((name) => read(folder.path, name)));
    await Promise.all(names.map((name) => rm(join(folder.path, name))));
    await writeReport(folder.path);
    expect(await Promise.all(names.map((name) => read(folder.path, name)))).toEqual(first);
  });

  test('a torn last line was never acknowledged and is no problem', async () => {
    await using folder = await runFolder(samplePlan());
    await appendFile(join(folder.path, 'telemetry.jsonl'), '{"workerId":"w1","batch":{"seq');
    await appendFile(join(folder.path, 'events.jsonl'), '{"seq":');
    const report = await writeReport(folder.path);
    expect(report.verdict.kind).toBe('passed');
    expect(report.notes).toEqual([]);
  });

  test('a damaged line in the middle is noted, and its data is missing', async () => {
    await using folder = await runFolder(samplePlan());
    const [first = '', ...rest] = (await read(folder.path, 'telemetry.jsonl')).split('\n');
    await writeFile(join(folder.path, 'telemetry.jsonl'), [first.slice(0, 50), ...rest].join('\n'));
    const report = await writeReport(folder.path);
    expect(report.verdict.kind).toBe('incomplete');
    expect(report.notes.join()).toMatch(/telemetry\.jsonl:1 is damaged/);
  });

  test('a run without telemetry has a report too', async () => {
    await using folder = await runFolder(samplePlan());
    await rm(join(folder.path, 'telemetry.jsonl'));
    expect((await writeReport(folder.path)).verdict.kind).toBe('incomplete');
  });

  test('a folder without a run is refused', async () => {
    await using folder = await runFolder(samplePlan());
    await rm(join(folder.path, 'events.jsonl'));
    await expect(writeReport(folder.path)).rejects.toMatchObject({ code: 'report.no-log' });
    await writeFile(join(folder.path, 'events.jsonl'), lines([{ seq: 1, at: '', type: 'run.analysing' }]));
    await expect(writeReport(folder.path)).rejects.toMatchObject({ code: 'report.no-plan' });
  });

  test.each([
    ['near the ceiling of this host', 'localhost', 110, /91 % of what this host's generator reached/],
    ['far from it', 'localhost', 1000, /^$/],
    ['of another host', 'elsewhere', 110, /^$/],
  ])('a calibration: %s', async (_, host, ceilingPerSecond, expected) => {
    await using folder = await runFolder(samplePlan());
    const run = join(folder.path, 'run');
    await mkdir(run);
    for (const name of ['events.jsonl', 'telemetry.jsonl'])
      await writeFile(join(run, name), await read(folder.path, name));
    await writeFile(
      join(dirname(run), 'calibration.json'),
      JSON.stringify({
        schemaVersion: 1,
        at: '2026-01-01T00:00:00.000Z',
        host,
        workers: 1,
        profiles: [{ profile: 'normal', ceilingPerSecond }],
      }),
    );
    expect((await writeReport(run)).notes.join()).toMatch(expected);
  });
});

describe('text artifacts', () => {
  const report = rich();

  test('junit: the scenario is a suite with a case for each threshold and one for the measurement', () => {
    const xml = artifacts['junit.xml'](report);
    expect(xml).toContain('<testsuite name="mixed-workload" tests="7" failures="3" errors="0"');
    expect(xml).toContain('<testcase classname="mixed-workload" name="the measurement can be trusted"');
    expect(xml).toMatch(/<failure message="latency\.p99 &lt; 2: was \d+ ms" type="threshold">/);
    expect(xml).toMatch(/connect\.p99.* &lt; 1000: no data: no connection was recorded/);
  });

  test('markdown: sessions that opened in the warm-up are told, and that they are of the whole run', () => {
    const markdown = artifacts['report.md'](report);
    expect(report.summary.connectMs.count).toBe(0);
    expect(markdown).toMatch(/\| Connect, whole run \| p50 1\.5\d* ms/);
    expect(markdown).toMatch(/\| Sessions \| [1-9]\d* opened in the whole run/);
  });

  test('junit: an invalid measurement is a failed case', () => {
    const xml = artifacts['junit.xml']({ ...report, verdict: { kind: 'invalid', reasons: [hostile, 'two'] } });
    expect(xml).toMatch(/<failure message="invalid: /);
    expect(xml).not.toMatch(/<(?:script|img)/);
    // XML 1.0 has no way to write these.
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
  });

  test('markdown: the verdict comes first, tables are whole, and no text of a server is markup', () => {
    const markdown = artifacts['report.md'](report);
    expect(markdown.split('\n')[0]).toBe('## ❌ failed: mixed-workload');
    expect(markdown).not.toMatch(/<(?:script|img)/);
    expect(markdown).not.toMatch(/(?<!\\)\[x\]/);
    for (const row of markdown.split('\n').filter((line) => line.startsWith('| ') && line.includes('http'))) {
      expect(row.split(/(?<!\\)\|/)).toHaveLength(6);
    }
    expect(markdown.length).toBeLessThan(20_000);
  });

  test('timeline.csv: one line for each second, with the same number of cells', () => {
    const rows = artifacts['timeline.csv'](report).trimEnd().split('\n');
    expect(rows).toHaveLength(1 + 25);
    expect(new Set(rows.map((row) => row.split(',').length)).size).toBe(1);
  });

  test("latency.hgrm is the library's own output", () => {
    expect(artifacts['latency.hgrm'](report)).toMatch(/Value\s+Percentile\s+TotalCount/);
    expect(artifacts['latency.hgrm'](report)).toContain(
      `Total count    = ${String(report.summary.latencyMs.count).padStart(12)}`,
    );
  });

  test('latency.hlog is read back by the library: one interval for each stage, with a tag for the warm-up', () => {
    const reader = new hdr.HistogramLogReader(artifacts['latency.hlog'](report));
    const intervals = [reader.nextIntervalHistogram(), reader.nextIntervalHistogram(), reader.nextIntervalHistogram()];
    expect(intervals.map((interval) => interval?.totalCount)).toEqual([
      report.stages[0]?.latencyMs.count,
      report.summary.latencyMs.count,
      undefined,
    ]);
    expect(intervals[0]?.tag).toBe('ramp-up');
  });
});

function trialsModel() {
  const stages = [1, 2, 3].map((trial) =>
    sampleStage({ index: trial - 1, name: 'steady', trial, startMs: (trial - 1) * 4000, durationMs: 4000 }),
  );
  const plan = samplePlan({ stages, trials: 3, thresholds: [threshold(check('latency.p50', '<', 10))] });
  return foldRun(
    sampleEvents(plan),
    sampleTelemetry(plan, { latencyUs: (second) => 1000 * (1 + Math.floor(second / 4)) }),
  );
}
