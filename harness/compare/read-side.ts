/** Finds the runs that a side of a comparison names. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isRunId } from '../log/run-id.js';
import { buildReport } from '../report/build-report.js';
import { readRun } from '../report/read-log.js';
import { readMetrics } from '../report/read-metrics.js';
import { messageOf } from '../support/error-message.js';
import type { Side } from './compare.js';
import { parseRun, type RunData } from './run-data.js';

export interface Places {
  /** Folder with the results of runs. */
  readonly results: string;
  readonly cwd: string;
}

/** The side cannot be read: what, where, and what to do. */
export class SideError extends Error {
  readonly code = 'SIDE_UNREADABLE';
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

const HINT =
  'a side is a run id, a run folder, a report.json, a folder of run folders, label:KEY=VALUE, ' +
  'or several of them with commas between';

/**
 * @param name one of the forms of `HINT`
 * @throws SideError
 */
export async function readSide(name: string, places: Places): Promise<Side> {
  const parts = name.split(',').filter((part) => part !== '');
  const paths = [...new Set(parts.flatMap((part) => pathsOf(part, places)))];
  if (paths.length === 0) throw new SideError(`\`${name}\` names no run`, HINT);
  const runs: RunData[] = [];
  for (const path of paths) runs.push(await readOne(path));
  return { name: nameOf(name, runs), runs };
}

/** A path of a file says less than the run in it. */
function nameOf(name: string, [first, ...others]: readonly RunData[]): string {
  if (first === undefined || others.length > 0) return name.length > 60 ? `${name.slice(0, 57)}…` : name;
  return name.endsWith('report.json') || name.includes('/') ? first.run.id : name;
}

function pathsOf(part: string, { results, cwd }: Places): readonly string[] {
  if (part.startsWith('label:')) return labelled(part, results);
  for (const path of [resolve(cwd, part), resolve(results, part)]) {
    if (!existsSync(path)) continue;
    if (!statSync(path).isDirectory()) return [path];
    if (holdsRun(path)) return [path];
    const inside = runFoldersIn(path);
    if (inside.length > 0) return inside;
  }
  throw new SideError(`there is no run \`${part}\`, neither in ${results} nor as a path`, HINT);
}

function runFoldersIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && holdsRun(join(folder, entry.name)))
    .map((entry) => join(folder, entry.name))
    .toSorted();
}

function holdsRun(folder: string): boolean {
  return existsSync(join(folder, 'events.jsonl')) || existsSync(join(folder, 'report.json'));
}

/** The first line of a run's log has its labels. */
function labelled(part: string, results: string): readonly string[] {
  const [key = '', value = ''] = splitOnce(part.slice('label:'.length));
  const found = (existsSync(results) ? readdirSync(results) : [])
    .filter(isRunId)
    .toSorted()
    .map((name) => join(results, name))
    .filter((folder) => labelsOf(folder)[key] === value);
  if (found.length === 0) throw new SideError(`no run in ${results} has the label ${key}=${value}`, HINT);
  return found;
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf('=');
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function labelsOf(folder: string): Readonly<Record<string, unknown>> {
  try {
    const [first = ''] = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n', 1);
    const created = JSON.parse(first) as { readonly labels?: Readonly<Record<string, unknown>> };
    return created.labels ?? {};
  } catch {
    return {};
  }
}

/** A report of an older version is built again from the log beside it. */
async function readOne(path: string): Promise<RunData> {
  const isFolder = statSync(path).isDirectory();
  const file = isFolder ? join(path, 'report.json') : path;
  if (existsSync(file)) {
    const found = parseRun(parseJson(file));
    if (found.ok && (found.run.blocks.length > 0 || !isFolder || !existsSync(join(path, 'events.jsonl'))))
      return found.run;
    if (!found.ok && !isFolder)
      throw new SideError(
        `${file} is not the report of a run: ${found.problem}`,
        `${basename(file)} must be a report.json`,
      );
  }
  const built = await rebuilt(path);
  if (built.ok) return built.run;
  throw new SideError(
    `the run in ${path} cannot be read: ${built.problem}`,
    'its log is damaged, or from another version of swarmbench',
  );
}

async function rebuilt(folder: string): Promise<ReturnType<typeof parseRun>> {
  try {
    return parseRun(buildReport(await readRun(folder), await readMetrics(folder)));
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new SideError(`${file} is not JSON`, HINT);
  }
}
