/** The command line: what stands behind `--`, and how a report shows it. */
import { shownUrl } from '../../scenarios/schema/redact.js';

const HIDDEN = '***';

export function argsBeforeDashes(args: readonly string[]): readonly string[] {
  const dashes = args.indexOf('--');
  return dashes === -1 ? args : args.slice(0, dashes);
}

/** The command of a server that stands behind `--`; undefined where there is no `--`. */
export function commandBehindDashes(args: readonly string[]): readonly string[] | undefined {
  const dashes = args.indexOf('--');
  return dashes === -1 ? undefined : args.slice(dashes + 1);
}

/** It can be pasted into a shell, and it contains no secrets. */
export function redactedCommand(args: readonly string[]): string {
  const shown = args.map((arg, index) => {
    const [option, value] = splitOption(arg);
    if (value !== undefined) return `${option}=${redactValue(option, value)}`;
    return redactValue(args[index - 1] ?? '', arg);
  });
  return ['swarmbench', ...shown.map(quoted)].join(' ');
}

function splitOption(arg: string): readonly [string, string | undefined] {
  const equals = arg.indexOf('=');
  return arg.startsWith('--') && equals > 0 ? [arg.slice(0, equals), arg.slice(equals + 1)] : [arg, undefined];
}

function redactValue(option: string, value: string): string {
  if (option === '--header') return value.replace(/:.*$/s, `: ${HIDDEN}`);
  if (option === '--input' || option === '--env') return value.replace(/=.*$/s, `=${HIDDEN}`);
  if (option === '--set' && /header/i.test(value)) return value.replace(/=.*$/s, `=${HIDDEN}`);
  // Also within a value: `--set target.server.url=http://...`, or a list of them.
  return value.replaceAll(/[a-z][a-z0-9+.-]*:\/\/[^\s'",\]}]+/gi, shownUrl);
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./*-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
