import type { Findings } from './findings.js';
import { describeValue, type MapEntry, type MapValue, type SourceValue, type TextValue } from './source/value.js';

/**
 * Puts variables into every text value of a file (never into keys) and casts the result where a number or a flag is
 * wanted.
 */

export function interpolate(file: MapValue, lookup: Lookup, findings: Findings): MapValue {
  return map(file, []);

  function map(value: MapValue, path: readonly string[]): MapValue {
    const entries = [...value.entries].map(([key, entry]): [string, MapEntry] => [
      key,
      { ...entry, value: any(entry.value, [...path, key]) },
    ]);
    return { ...value, entries: new Map(entries) };
  }

  function any(value: SourceValue, path: readonly string[]): SourceValue {
    switch (value.kind) {
      case 'map':
        return map(value, path);
      case 'list':
        return { ...value, items: value.items.map((item) => any(item, [...path, '[]'])) };
      case 'text':
        return text(value, path);
      default:
        return value;
    }
  }

  function text(value: TextValue, path: readonly string[]): SourceValue {
    const outcome = substitute(value.text, lookup);
    const name = path.join('.').replaceAll('.[]', '[]');
    if (outcome.kind === 'refused') {
      findings.refuse(value.at, 'INTERPOLATION', name, outcome.message, outcome.hint);
      return { kind: 'unknown', at: value.at };
    }
    for (const surprise of outcome.surprises) findings.warn(value.at, 'MISLEADING', name, surprise);
    // What no variable touched keeps its kind: a quoted "2" is text, and stays it.
    if (outcome.text === value.text) return value;
    const substituted = { ...value, text: outcome.text };
    const cast = castFor(path)?.(substituted);
    if (cast === undefined) return substituted;
    if (cast.kind !== 'wrong') return cast;
    findings.refuse(
      value.at,
      'INTERPOLATION',
      name,
      `"${value.text}" became ${describeValue(substituted)} and must become ${cast.expected}`,
    );
    return { kind: 'unknown', at: value.at };
  }
}

/**
 * `$NAME`, `${NAME}` and their defaults in one text. The forms, and the corners where the CLI reads something else than
 * a person would, are those of docker/cli 28, cli/compose/template; each such corner is reported as a surprise.
 */
export type Lookup = (name: string) => string | undefined;

type Substitution =
  | { readonly kind: 'done'; readonly text: string; readonly surprises: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string };

const EXPRESSION = '[_a-z][_a-z0-9]*(?::?[-?][^}]*)?';
const PATTERN = new RegExp(
  `\\$(?:(?<escaped>\\$)|(?<named>${EXPRESSION})|\\{(?<braced>${EXPRESSION})\\}|(?<invalid>))`,
  'gi',
);

interface Failure {
  readonly message: string;
  readonly hint: string;
}

export function substitute(text: string, lookup: Lookup): Substitution {
  const surprises: string[] = [];
  let failure: Failure | undefined;
  const replaced = text.replace(PATTERN, (...found) => {
    const { escaped, named, braced } = found.at(-1) as Readonly<Record<string, string | undefined>>;
    if (escaped !== undefined) return escaped;
    const expression = named ?? braced;
    if (expression === undefined) {
      failure = {
        message: `a $ stands before something that is no variable, in "${text}"`,
        hint: 'write $$ for a dollar sign; ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message} and ${NAME?message} are the forms there are',
      };
      return '';
    }
    // The CLI forgets a failure as soon as another variable follows in the same text.
    if (failure !== undefined)
      surprises.push(`${failure.message}; the CLI goes on because another variable follows it, and leaves it empty`);
    const outcome = evaluate(expression, lookup);
    surprises.push(...surprisesOf(expression, braced === undefined));
    failure =
      outcome.kind === 'missing'
        ? { message: outcome.message, hint: `set ${outcome.name} in the environment` }
        : undefined;
    return outcome.kind === 'value' ? outcome.text : '';
  });
  return failure === undefined ? { kind: 'done', text: replaced, surprises } : { kind: 'refused', ...failure };
}

type Outcome =
  | { readonly kind: 'value'; readonly text: string }
  | { readonly kind: 'missing'; readonly name: string; readonly message: string };

/** The first operator that occurs anywhere decides, in this order, and the name is all that stands before it. */
function evaluate(expression: string, lookup: Lookup): Outcome {
  const operator = OPERATORS.find((each) => expression.includes(each));
  if (operator === undefined) return { kind: 'value', text: lookup(expression) ?? '' };
  const [name, operand] = cut(expression, operator);
  const value = lookup(name);
  switch (operator) {
    case ':-':
      return { kind: 'value', text: value === undefined || value === '' ? operand : value };
    case '-':
      return { kind: 'value', text: value ?? operand };
    case ':?':
      return value === undefined || value === '' ? missing(name, operand) : { kind: 'value', text: value };
    case '?':
      return value === undefined ? missing(name, operand) : { kind: 'value', text: value };
  }
}

const OPERATORS = [':-', '-', ':?', '?'] as const;

function missing(name: string, message: string): Outcome {
  return { kind: 'missing', name, message: `the variable ${name} must be set${message === '' ? '' : `: ${message}`}` };
}

function surprisesOf(expression: string, bare: boolean): readonly string[] {
  const name = /^[_a-z][_a-z0-9]*/i.exec(expression)?.[0] ?? '';
  const rest = expression.slice(name.length);
  const surprises: string[] = [];
  if (/^:?\?.*-/s.test(rest)) {
    surprises.push(
      `\${${expression}} does not demand ${name}: the "-" in the message makes the CLI read a default; leave it out of the message`,
    );
  }
  if (/^-.*:-/s.test(rest))
    surprises.push(`\${${expression}} looks for a variable named "${cut(expression, ':-')[0]}"`);
  if (/^:?-.*\$/s.test(rest)) surprises.push(`the default in \${${expression}} is not interpolated itself`);
  if (bare && rest !== '')
    surprises.push(`$${expression} is read as ${name} with an operator after it; write \${${name}} where it ends`);
  return surprises;
}

function cut(text: string, separator: string): readonly [string, string] {
  const index = text.indexOf(separator);
  return [text.slice(0, index), text.slice(index + separator.length)];
}

/**
 * Which values become a number or a flag after a variable was put in: an interpolated value is text, and these are not.
 */

/** The value as its kind, or what it should have been. */
type Cast = (text: TextValue) => SourceValue | { readonly kind: 'wrong'; readonly expected: string };

const castInteger: Cast = ({ text, at }) =>
  /^[-+]?\d+$/.test(text)
    ? { kind: 'integer', value: BigInt(text.replace('+', '')), at }
    : { kind: 'wrong', expected: 'a whole number' };

const castFloat: Cast = ({ text, at }) =>
  /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)
    ? { kind: 'float', value: Number(text), at }
    : { kind: 'wrong', expected: 'a number' };

const castFlag: Cast = ({ text, at }) => {
  const word = text.toLowerCase();
  if (['y', 'yes', 'true', 'on'].includes(word)) return { kind: 'flag', value: true, at };
  if (['n', 'no', 'false', 'off'].includes(word)) return { kind: 'flag', value: false, at };
  return { kind: 'wrong', expected: 'true or false' };
};

/** `*` stands for any one key, `[]` for any item of a list. Facts: docker/cli 28, cli/compose/loader/interpolate.go. */
const CASTS: readonly (readonly [string, Cast])[] = [
  ['services.*.configs.[].mode', castInteger],
  ['services.*.secrets.[].mode', castInteger],
  ['services.*.healthcheck.retries', castInteger],
  ['services.*.healthcheck.disable', castFlag],
  ['services.*.deploy.replicas', castInteger],
  ['services.*.deploy.update_config.parallelism', castInteger],
  ['services.*.deploy.update_config.max_failure_ratio', castFloat],
  ['services.*.deploy.rollback_config.parallelism', castInteger],
  ['services.*.deploy.rollback_config.max_failure_ratio', castFloat],
  ['services.*.deploy.restart_policy.max_attempts', castInteger],
  ['services.*.deploy.placement.max_replicas_per_node', castInteger],
  ['services.*.ports.[].target', castInteger],
  ['services.*.ports.[].published', castInteger],
  ['services.*.ulimits.*', castInteger],
  ['services.*.ulimits.*.hard', castInteger],
  ['services.*.ulimits.*.soft', castInteger],
  ['services.*.privileged', castFlag],
  ['services.*.oom_score_adj', castInteger],
  ['services.*.read_only', castFlag],
  ['services.*.stdin_open', castFlag],
  ['services.*.tty', castFlag],
  ['services.*.volumes.[].read_only', castFlag],
  ['services.*.volumes.[].volume.nocopy', castFlag],
  ['networks.*.external', castFlag],
  ['networks.*.internal', castFlag],
  ['networks.*.attachable', castFlag],
  ['volumes.*.external', castFlag],
  ['secrets.*.external', castFlag],
  ['configs.*.external', castFlag],
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
