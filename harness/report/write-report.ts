import { rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, messageOf } from '../support/error-message.js';
import { buildReport } from './build-report.js';
import { ceilingNotes, readCalibration } from './calibration.js';
import { renderHtml } from './html/page.js';
import { ReportError, readRun } from './read-log.js';
import { readMetrics } from './read-metrics.js';
import { type Report, reportSchema } from './schema.js';
import { renderHgrm, renderHlog } from './text/histogram-files.js';
import { renderJunit } from './text/junit.js';
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
 * else anew, each file whole or not at all. A calibration of the same host (`calibration.json` beside the run folders)
 * adds a note.
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
    const report: Report = { ...plain, notes: [...damage(plain), ...ceiling, ...plain.notes] };
    const json = ['report.json', `${JSON.stringify(report, undefined, 1)}\n`] as const;
    return { report, texts: [json, ...Object.entries(artifacts).map(([name, draw]) => [name, draw(report)] as const)] };
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
