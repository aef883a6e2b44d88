/** Percentile spectra of runs, and of files that other tools write: HdrHistogram's `.hgrm` and `.hlog`. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import hdr from 'hdr-histogram-js';
import { z } from 'zod';
import { decodeCounts, toHistogram } from '../analysis/merge/hdr-counts.js';
import type { Distribution } from '../report/svg/spectrum.js';
import { messageOf } from '../support/error-message.js';

export interface NamedSpectrum {
  readonly name: string;
  /** Microseconds. */
  readonly distribution: Distribution;
  /** Of the latency as a whole, from the report. */
  readonly thresholds: readonly { readonly ms: number; readonly text: string }[];
}

export interface SpectrumChoices {
  /** Folder with the results of runs. */
  readonly results: string;
  readonly cwd: string;
  /** The histogram of a report: `latency`, `service`, `connect`, `operation/PROFILE/NAME/latency` ... */
  readonly histogram: string;
  /** Of the values in files of other tools; default: ms in `.hgrm`, us in `.hlog`, as we write them. */
  readonly unit?: keyof typeof MICROSECONDS | undefined;
  /** Of the intervals in a `.hlog`; default: those without a tag. */
  readonly tag?: string | undefined;
}

export const MICROSECONDS = { ns: 0.001, us: 1, ms: 1000, s: 1_000_000 } as const;

/** It cannot be plotted: what, and what to do. */
export class SpectrumError extends Error {
  readonly code = 'SPECTRUM_UNREADABLE';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

const HINT = 'name a run id, a run folder, a report.json, an .hgrm or an .hlog; NAME=PATH gives it a name';

/** @param written a run id, a path, or `NAME=` and one of both. @throws SpectrumError */
export function readSpectrum(written: string, choices: SpectrumChoices): NamedSpectrum {
  const direct = findFile(written, choices);
  const [, name = '', rest = ''] = /^([^=]+)=(.+)$/s.exec(written) ?? [];
  const file = direct ?? (rest === '' ? undefined : findFile(rest, choices));
  if (file === undefined) throw new SpectrumError(`there is no \`${written}\`, neither a run nor a file`, HINT);
  const read = readFile(file, choices);
  return { ...read, name: direct === undefined ? name : read.name };
}

function findFile(name: string, { results, cwd }: SpectrumChoices): string | undefined {
  for (const path of [resolve(cwd, name), resolve(results, name)]) {
    if (!existsSync(path)) continue;
    if (!statSync(path).isDirectory()) return path;
    const report = join(path, 'report.json');
    if (existsSync(report)) return report;
  }
  return undefined;
}

function readFile(file: string, choices: SpectrumChoices): NamedSpectrum {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.json')) return ofReport(text, file, choices);
  const isLog = /^#\[Histogram log format|^"StartTimestamp"/m.test(text.slice(0, 4096)) || file.endsWith('.hlog');
  const distribution = isLog
    ? ofLog(text, file, choices)
    : ofDistribution(text, file, MICROSECONDS[choices.unit ?? 'ms']);
  return { name: basename(file), distribution, thresholds: [] };
}

/** As much of a report as is plotted. */
const plotted = z.object({
  run: z.object({ id: z.string() }),
  histograms: z.record(z.string(), z.string()),
  thresholds: z.array(
    z.object({ check: z.string(), metric: z.string(), comparison: z.string(), wanted: z.number() }).loose(),
  ),
});

function ofReport(text: string, file: string, { histogram }: SpectrumChoices): NamedSpectrum {
  const parsed = plotted.safeParse(parseJson(text));
  if (!parsed.success) throw new SpectrumError(`${file} is not the report of a run`, HINT);
  const { run, histograms, thresholds } = parsed.data;
  const encoded = histograms[histogram];
  if (encoded === undefined) {
    const known = Object.keys(histograms);
    const some = known.length > 12 ? [...known.slice(0, 12), '...'] : known;
    throw new SpectrumError(
      `${run.id} has no histogram \`${histogram}\``,
      known.length === 0 ? 'no operation succeeded in it' : `it has ${some.join(', ')}`,
    );
  }
  return {
    name: run.id,
    distribution: toHistogram(decodeCounts(encoded)),
    thresholds: thresholds
      .filter(({ check, metric, comparison }) => {
        const isOurs = metric.startsWith(`${histogram}.p`) && !check.includes('{');
        return isOurs && comparison.startsWith('<');
      })
      .map(({ check, wanted }) => ({ ms: wanted, text: check })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Value, share, count, 1/(1-share): as HdrHistogram, wrk2 and many others print it. */
const line = /^\s*(\d+(?:\.\d+)?)\s+(\d(?:\.\d+)?)\s+(\d+)(?:\s+(?:\d+(?:\.\d+)?|inf|Infinity|∞))?\s*$/i;

function ofDistribution(text: string, file: string, microseconds: number): Distribution {
  const points = text.split('\n').flatMap((written) => {
    const [, value, share, count] = line.exec(written) ?? [];
    return value === undefined
      ? []
      : [{ us: Number(value) * microseconds, share: Number(share), count: Number(count) }];
  });
  const last = points.at(-1);
  if (last === undefined || last.count === 0)
    throw new SpectrumError(
      `${file} holds no percentile distribution`,
      'lines of an .hgrm have a value, a share of 0 to 1, a count, and 1/(1-share)',
    );
  return {
    totalCount: last.count,
    getValueAtPercentile(percentile) {
      // The first value that so large a share does not exceed.
      let [low, high] = [0, points.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((points[middle]?.share ?? 1) * 100 < percentile - 1e-9) low = middle + 1;
        else high = middle;
      }
      return points[low]?.us ?? last.us;
    },
  };
}

/** All intervals of the tag, merged. */
function ofLog(text: string, file: string, { unit = 'us', tag }: SpectrumChoices): Distribution {
  const found: hdr.Histogram[] = [];
  const tags = new Set<string>();
  try {
    const reader = new hdr.HistogramLogReader(text);
    for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram()) {
      if (next.tag !== undefined && next.tag !== '' && next.tag !== 'NO TAG') tags.add(next.tag);
      const own = next.tag === 'NO TAG' ? '' : (next.tag ?? '');
      if (own === (tag ?? '')) found.push(next as hdr.Histogram);
    }
  } catch (error) {
    throw new SpectrumError(`${file} is no histogram log: ${messageOf(error)}`, HINT);
  }
  const [first, ...others] = found;
  if (first === undefined)
    throw new SpectrumError(
      `${file} has no interval ${tag === undefined ? 'without a tag' : `with the tag ${tag}`}`,
      tags.size === 0 ? 'is it a histogram log?' : `choose one with --tag: ${[...tags].join(', ')}`,
    );
  for (const other of others) (first as { add(histogram: unknown): void }).add(other);
  const factor = MICROSECONDS[unit];
  return {
    totalCount: first.totalCount,
    getValueAtPercentile: (percentile) => first.getValueAtPercentile(percentile) * factor,
  };
}
