/** Files that a target's keys and options name: certificates, keys, tokens. Read when the plan is made. */
import { dirname, isAbsolute, join } from 'node:path';
import { keyPositionOf, type MapNode, positionOf } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import type { TlsPlan } from '../plan.js';
import type { ReportProblem } from '../source-part.js';

/** What the command line says about these files; each comes before the scenario's key. */
export interface SecretOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
}

/**
 * Where these files come from. `request`: somebody else has read them and sends what is in them; a scenario that came
 * with the request must not make this process read files of its own, for it would send them to the caller's target.
 */
export type SecretSource =
  | { readonly from: 'files'; readonly readText: (file: string) => string | undefined; readonly options: SecretOptions }
  | { readonly from: 'request'; readonly tls?: TlsPlan; readonly tokens?: readonly string[] };

/** A file or variable somebody named, with the place where they did. */
export interface SecretReference {
  readonly name: string;
  /** Of the scenario: `target.tls.ca`. */
  readonly path: string;
  readonly at: Position;
  readonly fromCommandLine: boolean;
}

/** The command line's word before the scenario's. @param option such as `--tls-ca` */
export function secretReference(
  node: MapNode,
  path: readonly string[],
  written: string | undefined,
  option: string,
  given: string | undefined,
): SecretReference | undefined {
  const dotted = path.join('.');
  if (given !== undefined)
    return { name: given, path: dotted, at: { file: option, line: 1, column: 1 }, fromCommandLine: true };
  return written === undefined
    ? undefined
    : { name: written, path: dotted, at: positionOf(node, path), fromCommandLine: false };
}

/** Files of a scenario are relative to its folder, files of an option to the current one. */
export function readSecretFile(
  file: SecretReference,
  readText: (file: string) => string | undefined,
  refuse: ReportProblem,
): string | undefined {
  const fromOption = file.fromCommandLine || file.at.file.startsWith('--');
  const where = fromOption || isAbsolute(file.name) ? file.name : join(dirname(file.at.file), file.name);
  let text: string | undefined;
  try {
    text = readText(where);
  } catch (error) {
    refuse(
      problemAt(
        file.at,
        'NOT_FOUND',
        file.path,
        `${where} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      ),
    );
    return undefined;
  }
  if (text === undefined)
    refuse(
      problemAt(
        file.at,
        'NOT_FOUND',
        file.path,
        `there is no file ${where}`,
        fromOption ? undefined : 'files are relative to the folder of the scenario',
      ),
    );
  return text;
}

/** A key that names a file, in a scenario that came with a request. */
export function refuseForeignFile(node: MapNode, path: readonly string[], refuse: ReportProblem): void {
  const dotted = path.join('.');
  refuse(
    problemAt(
      keyPositionOf(node, path),
      'CONFLICT',
      dotted,
      `\`${dotted}\` is read by the command line, not by a controller`,
      'send what is in it with the request: `tls` or `tokens`',
    ),
  );
}
