/** The files that a target's keys and options name: certificates, keys, tokens. They are read when the plan is made. */
import { dirname, isAbsolute, join } from 'node:path';
import { keyPositionOf, type MapNode, positionOf } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import type { TlsPlan } from '../plan.js';
import { positionOfOption, type ReportProblem } from '../source-part.js';

/** What the command line says about these files. Each option comes before the scenario's key. */
export interface SecretOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
}

/**
 * Where the contents of these files come from. `request`: the caller has read them and sends their contents. A scenario
 * that came with a request must not make this process read its own files, because it would send them to the caller's
 * target.
 */
export type SecretSource =
  | { readonly from: 'files'; readonly readText: (file: string) => string | undefined; readonly options: SecretOptions }
  | { readonly from: 'request'; readonly tls?: TlsPlan; readonly tokens?: readonly string[] };

/** The name of a file or variable, and the place where it is given. */
export interface SecretReference {
  readonly name: string;
  /** In the scenario: `target.tls.ca`. */
  readonly path: string;
  readonly at: Position;
  readonly fromCommandLine: boolean;
}

/**
 * The option's value comes before the scenario's.
 * @param option such as `--tls-ca`
 */
export function secretReference(
  node: MapNode,
  path: readonly string[],
  written: string | undefined,
  option: string,
  optionValue: string | undefined,
): SecretReference | undefined {
  const dotted = path.join('.');
  if (optionValue !== undefined)
    return { name: optionValue, path: dotted, at: positionOfOption(option), fromCommandLine: true };
  if (written === undefined) return undefined;
  return { name: written, path: dotted, at: positionOf(node, path), fromCommandLine: false };
}

/** Files of a scenario are relative to its folder, files of an option to the current one. */
export function readSecretFile(
  file: SecretReference,
  readText: (file: string) => string | undefined,
  refuse: ReportProblem,
): string | undefined {
  const fromOption = file.fromCommandLine || file.at.file.startsWith('--');
  const path = fromOption || isAbsolute(file.name) ? file.name : join(dirname(file.at.file), file.name);
  let text: string | undefined;
  try {
    text = readText(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    refuse(problemAt(file.at, 'NOT_FOUND', file.path, `${path} cannot be read: ${reason}`));
    return undefined;
  }
  if (text === undefined) {
    const hint = fromOption ? undefined : 'files are relative to the folder of the scenario';
    refuse(problemAt(file.at, 'NOT_FOUND', file.path, `there is no file ${path}`, hint));
  }
  return text;
}

/** For a key that names a file, in a scenario that came with a request. */
export function refuseFileInRequest(node: MapNode, path: readonly string[], refuse: ReportProblem): void {
  const key = path.join('.');
  refuse(
    problemAt(
      keyPositionOf(node, path),
      'CONFLICT',
      key,
      `a controller does not read the file of \`${key}\`; only the command line does`,
      'send the contents with the request: `tls` or `tokens`',
    ),
  );
}
