import { rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, messageOf } from '../support/error-message.js';
import { buildReport } from './build-report.js';
import { ceilingNotes, readCalibration } from './calibration.js';
import { renderHtml } from './html/page.js';
import { noiseNotes, readNoise } from './noise.js';
import { ReportError, readRun } from './read-log.js';
import { readMetrics } from './read-metrics.js';
import { type Report, reportSchema } from './schema.js';
import { renderHgrm, renderHlog } from './text/histogram-files.js';
import { renderJunit } from './text/junit.js';
import { longLists } from './text/long-lists.js';
import { renderMarkdown } from './text/markdown.js';
import { renderTimeline } from './text/timeline-csv.js';

/** The artifacts that are made from `report.json` alone. */
export const artifacts = {
  'report.html': renderHtml,
  'report.md': renderMarkdown,
  'junit.xml': renderJunit,
  'timeline.csv': renderTimeline,
  'latency.hgrm': renderHgrm,
  'latency.hlog': renderHlog,
} as const satisfies Record<string, (report: Report) => string>;

/**
 * Reads `events.jsonl`, `telemetry.jsonl` and, if there is one, `metrics.json` of a run folder, and writes everything
 * else anew, each file whole or not at all. A calibration of the same host and the noise of the same scenario
 * (`calibration.json` and `noise.json` beside the run folders) add notes.
 * @throws ReportError when the folder holds no run, or its log is too damaged; file system errors
 */
export async function writeReport(runFolder: string): Promise<Report> {
  const folder = resolve(runFolder);
  const { report, texts } = await render(folder);
  for (const [name, text] of texts) await replace(join(folder, name), text);
  return report;
}

interface Rendered {
  readonly report: Report;
  /** By file name. */
  readonly texts: readonly (readonly [name: string, text: string])[];
}

async function render(folder: string): Promise<Rendered> {
  try {
    const plain = buildReport(await readRun(folder), await readMetrics(folder));
    const ceiling = ceilingNotes(plain, await readCalibration(join(dirname(folder), 'calibration.json')));
    // What cannot be read is told by the commands that need it.
    const noise = await readNoise(join(dirname(folder), 'noise.json')).catch(() => undefined);
    const notes = [...damage(plain), ...ceiling, ...noiseNotes(plain, noise), ...plain.notes];
    const full: Report = { ...plain, notes };
    const report = withBusiestOperations(full);
    const drawn = Object.entries(artifacts).map(([name, draw]) => [name, draw(report)] as const);
    return { report, texts: [['report.json', jsonOf(report)], ...drawn, ...longLists(full)] };
  } catch (error) {
    if (codeOf(error) !== undefined) throw error;
    // Lines are JSON but do not fit together, so that the sum of them cannot be computed.
    throw new ReportError(
      'report.damaged',
      `no report can be made of the log in ${folder}: ${messageOf(error)}`,
      'was the log changed, cut, or written by another version of swarmbench? ' +
        'If not, run it again with SWARMBENCH_DEBUG=1 and report the stack trace',
      { cause: error },
    );
  }
}

/** So many of them take a quarter of the 5 MB that `report.json` may have. */
const MOST_OPERATIONS = 2000;

/** The report with its busiest operations alone where it has very many; `operations.csv` has all of them. */
export function withBusiestOperations(report: Report): Report {
  const { operations, histograms, notes } = report;
  if (operations.length <= MOST_OPERATIONS) return report;
  const busiest = new Set(operations.toSorted((a, b) => b.offered - a.offered).slice(0, MOST_OPERATIONS));
  const left = new Set(operations.filter((one) => !busiest.has(one)).map(({ profile, name }) => keyOf(profile, name)));
  const note =
    `the report has the busiest ${MOST_OPERATIONS} of ${operations.length} operations; ` +
    'operations.csv has all of them, and all of them are in the sums';
  return {
    ...report,
    notes: [...notes, note],
    operations: operations.filter((one) => busiest.has(one)),
    histograms: Object.fromEntries(Object.entries(histograms).filter(([key]) => !left.has(key))),
  };
}

function keyOf(profile: string, operation: string): string {
  return `operation/${profile}/${operation}/latency`;
}

/** A line for each key, and each item of a list: indented further, the lists of a long run would be twice as long. */
export function jsonOf(report: Report): string {
  const parts = Object.entries(report).map(([key, value]) => `${JSON.stringify(key)}: ${jsonOfValue(value)}`);
  return `{\n ${parts.join(',\n ')}\n}\n`;
}

function jsonOfValue(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n  ${value.map((item) => JSON.stringify(item)).join(',\n  ')}\n ]`;
}

/** Events are not checked when they are read, so wrong values in them can come as far as the report. */
function damage(report: Report): readonly string[] {
  const [first] = reportSchema.safeParse(report).error?.issues ?? [];
  if (first === undefined) return [];
  return [`the log is damaged: the report has a wrong value at ${first.path.join('.')} (${first.message})`];
}

/** Readers never see half a file. */
async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.part`;
  await writeFile(draft, text);
  await rename(draft, path);
}
