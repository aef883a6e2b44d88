import type { Findings } from '../problem.js';
import { describeValue, type MapValue } from '../source/value.js';

/** The newest format that docker/cli 28 knows; what a file without `version` is read as. */
const NEWEST_MINOR = 13;

/**
 * Minor number of the file's 3.x format; undefined when it has another one. `version: 3` is text or a number to the
 * CLI's first look.
 */
export function minorVersion(file: MapValue, findings: Findings): number | undefined {
  const entry = file.entries.get('version');
  if (entry === undefined) return NEWEST_MINOR;
  const { value } = entry;
  if (value.kind !== 'text') {
    findings.refuse(
      value.at,
      'VERSION',
      'version',
      `must be text, not ${describeValue(value)}`,
      'put it in quotes, or leave the line out',
    );
    return undefined;
  }
  if (value.text === '' || value.text === '3') return NEWEST_MINOR;
  const minor = /^3\.(0|[1-9]\d?)$/.exec(value.text)?.[1];
  if (minor !== undefined && Number(minor) <= NEWEST_MINOR) return Number(minor);
  const message = `format ${value.text} cannot be deployed: 3.0 to 3.${NEWEST_MINOR} can`;
  findings.refuse(value.at, 'VERSION', 'version', message, `leave the line out, which means 3.${NEWEST_MINOR}`);
  return undefined;
}
