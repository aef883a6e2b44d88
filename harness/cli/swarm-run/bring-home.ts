import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createRunFolder } from '../../controller/log/run-folder.js';
import { type Report, reportSchema } from '../../report/schema.js';
import type { HarnessApi } from './harness-api.js';

export interface BroughtHome {
  readonly folder: string;
  /** Undefined when the harness could not write it, or it is of another version. */
  readonly report: Report | undefined;
  readonly problems: readonly string[];
}

/** Everything that a run has written, into `resultsFolder/<run>`, as if it had run here. */
export async function bringHome(
  api: HarnessApi,
  runId: string,
  resultsFolder: string,
  signal: AbortSignal,
): Promise<BroughtHome> {
  mkdirSync(resultsFolder, { recursive: true });
  const folder = createRunFolder(resultsFolder, runId);
  const names = (await api.artifacts(runId, signal))
    .map(({ name }) => name)
    .filter((name) => !/[/\\]|^\.+$/.test(name));
  for (const name of names) await api.download(runId, name, join(folder, name), signal);
  if (!names.includes('report.json'))
    return {
      folder,
      report: undefined,
      problems: [`run ${runId} has no report; \`swarmbench logs harness\` may say why`],
    };
  const parsed = reportSchema.safeParse(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')));
  if (parsed.success) return { folder, report: parsed.data, problems: [] };
  return {
    folder,
    report: undefined,
    problems: [
      `${join(folder, 'report.json')} is not as this version of swarmbench knows it; is the harness of another one?`,
    ],
  };
}
