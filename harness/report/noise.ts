/**
 * `noise.json` beside the run folders: how much the figures of a scenario differ between runs of the same target, by
 * scenario and environment. `swarmbench noise` measures it, comparisons and reports say from it what they can find.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { formatAs, significant } from '../analysis/format.js';
import { detectable, powerOf } from '../analysis/statistics/decide.js';
import { FEWEST_TRIALS } from '../analysis/statistics/median-interval.js';
import type { Report } from './schema.js';
import { fingerprintOf, settingOf } from './setting.js';

const spread = z.strictObject({
  /** `ratio`: of the logarithm of the figure, so 0.07 is 7 %. `difference`: of the figure itself, a share. */
  scale: z.enum(['ratio', 'difference']),
  /** Standard deviation between trials. */
  deviation: z.number().min(0),
  /** Of each trial: milliseconds, per second, or a share. */
  values: z.array(z.number()),
});

const entry = z.strictObject({
  scenario: z.string(),
  /** Of the load, the target and the environment. */
  fingerprint: z.string(),
  facts: z.array(z.tuple([z.string(), z.string()])),
  /** ISO 8601. */
  measuredAt: z.string(),
  trials: z.number().int(),
  runs: z.array(z.string()),
  /** By metric with its labels, as in rules: `latency.p95{operation="echo"}`. */
  spreads: z.record(z.string(), spread),
});
export type NoiseEntry = z.infer<typeof entry>;

export const noiseFile = z.strictObject({ schemaVersion: z.literal(1), entries: z.array(entry) });
export type NoiseFile = z.infer<typeof noiseFile>;

/** @returns undefined when there is no file. @throws Error when it is not ours */
export async function readNoise(path: string): Promise<NoiseFile | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON`);
  }
  const parsed = noiseFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `${path} is not a file of \`swarmbench noise\`: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

/** The measurement of this load in this environment. */
export function noiseOf(file: NoiseFile | undefined, fingerprint: string): NoiseEntry | undefined {
  return file?.entries.find((one) => one.fingerprint === fingerprint);
}

/** The file with this measurement in place of an older one of the same load and environment. */
export function withEntry(file: NoiseFile | undefined, added: NoiseEntry): NoiseFile {
  const others = (file?.entries ?? []).filter(({ fingerprint }) => fingerprint !== added.fingerprint);
  return { schemaVersion: 1, entries: [...others, added] };
}

/** What the report says where the noise of its scenario is known. */
export function noiseNotes(report: Report, file: NoiseFile | undefined): readonly string[] {
  const found = noiseOf(file, fingerprintOf(settingOf(report)));
  const p95 = found?.spreads['latency.p95'];
  if (found === undefined || p95 === undefined) return [];
  const power = powerText({ spread: p95.deviation, trials: FEWEST_TRIALS, margin: Math.log(1.1) }, '10 %');
  return [
    `noise between runs here (${found.trials} trials, ${found.measuredAt.slice(0, 10)}): latency.p95 ` +
      `${spreadText(p95)}. ${power}`,
  ];
}

export function spreadText({ scale, deviation }: Pick<z.infer<typeof spread>, 'scale' | 'deviation'>): string {
  return scale === 'ratio' ? `${significant(Math.expm1(deviation) * 100)} %` : `${significant(deviation * 100)} pp`;
}

/** What a comparison finds. @param size the size of the rule, as text */
export function powerText(
  experiment: { readonly spread: number; readonly trials: number; readonly margin: number; readonly paired?: boolean },
  size: string,
  scale: 'ratio' | 'difference' = 'ratio',
): string {
  const power = powerOf(experiment, experiment.margin);
  const least = detectable(experiment);
  const leastText = scale === 'ratio' ? formatAs('ratio', Math.expm1(least)) : `${significant(least * 100)} pp`;
  return (
    `A change of ${size} is found with a power of ${power.toFixed(2)} in ${experiment.trials} ` +
    `${experiment.paired === true ? 'pairs' : 'trials a side'}; one of ${leastText} with 0.80.`
  );
}
