/**
 * Which values become a number or a flag after a variable was put in: an interpolated value is text, and these are not.
 */
import type { SourceValue, TextValue } from '../source/value.js';

/** The value as its kind, or what it should have been. */
type Cast = (text: TextValue) => SourceValue | { readonly kind: 'wrong'; readonly expected: string };

const integer: Cast = ({ text, at }) =>
  /^[-+]?\d+$/.test(text)
    ? { kind: 'integer', value: BigInt(text.replace('+', '')), at }
    : { kind: 'wrong', expected: 'a whole number' };

const float: Cast = ({ text, at }) =>
  /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)
    ? { kind: 'float', value: Number(text), at }
    : { kind: 'wrong', expected: 'a number' };

const flag: Cast = ({ text, at }) => {
  const word = text.toLowerCase();
  if (['y', 'yes', 'true', 'on'].includes(word)) return { kind: 'flag', value: true, at };
  if (['n', 'no', 'false', 'off'].includes(word)) return { kind: 'flag', value: false, at };
  return { kind: 'wrong', expected: 'true or false' };
};

/** `*` stands for any one key, `[]` for any item of a list. Facts: docker/cli 28, cli/compose/loader/interpolate.go. */
const CASTS: readonly (readonly [string, Cast])[] = [
  ['services.*.configs.[].mode', integer],
  ['services.*.secrets.[].mode', integer],
  ['services.*.healthcheck.retries', integer],
  ['services.*.healthcheck.disable', flag],
  ['services.*.deploy.replicas', integer],
  ['services.*.deploy.update_config.parallelism', integer],
  ['services.*.deploy.update_config.max_failure_ratio', float],
  ['services.*.deploy.rollback_config.parallelism', integer],
  ['services.*.deploy.rollback_config.max_failure_ratio', float],
  ['services.*.deploy.restart_policy.max_attempts', integer],
  ['services.*.deploy.placement.max_replicas_per_node', integer],
  ['services.*.ports.[].target', integer],
  ['services.*.ports.[].published', integer],
  ['services.*.ulimits.*', integer],
  ['services.*.ulimits.*.hard', integer],
  ['services.*.ulimits.*.soft', integer],
  ['services.*.privileged', flag],
  ['services.*.oom_score_adj', integer],
  ['services.*.read_only', flag],
  ['services.*.stdin_open', flag],
  ['services.*.tty', flag],
  ['services.*.volumes.[].read_only', flag],
  ['services.*.volumes.[].volume.nocopy', flag],
  ['networks.*.external', flag],
  ['networks.*.internal', flag],
  ['networks.*.attachable', flag],
  ['volumes.*.external', flag],
  ['secrets.*.external', flag],
  ['configs.*.external', flag],
];

const PATTERNS = CASTS.map(([pattern, cast]) => [pattern.split('.'), cast] as const);

/**
 * @param path keys from the top, `[]` for a list item. A key that contains a dot counts as several, as in the CLI:
 * below a service named `a.b` nothing is cast.
 */
export function castFor(path: readonly string[]): Cast | undefined {
  const parts = path.join('.').split('.');
  return PATTERNS.find(
    ([pattern]) => pattern.length === parts.length && pattern.every((part, i) => part === '*' || part === parts[i]),
  )?.[1];
}
