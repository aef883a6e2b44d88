import type { Findings } from './findings.js';
import { cut } from './go/text.js';
import { describeValue, type MapEntry, type MapValue, type SourceValue, type TextValue } from './source/value.js';

export type Lookup = (name: string) => string | undefined;

/** Replaces variables in every text of a file except its keys, and casts the text where a number or flag is wanted. */
export function interpolate(file: MapValue, lookup: Lookup, findings: Findings): MapValue {
  return inMap(file, []);

  function inMap(value: MapValue, path: readonly string[]): MapValue {
    const entries = [...value.entries].map(([key, entry]): [string, MapEntry] => [
      key,
      { ...entry, value: inValue(entry.value, [...path, key]) },
    ]);
    return { ...value, entries: new Map(entries) };
  }

  function inValue(value: SourceValue, path: readonly string[]): SourceValue {
    switch (value.kind) {
      case 'map':
        return inMap(value, path);
      case 'list':
        return { ...value, items: value.items.map((item) => inValue(item, [...path, '[]'])) };
      case 'text':
        return inText(value, path);
      default:
        return value;
    }
  }

  function inText(value: TextValue, path: readonly string[]): SourceValue {
    const outcome = substitute(value.text, lookup);
    const name = path.join('.').replaceAll('.[]', '[]');
    if (outcome.kind === 'refused') {
      findings.refuse(value.at, 'INTERPOLATION', name, outcome.message, outcome.hint);
      return { kind: 'unknown', at: value.at };
    }
    for (const warning of outcome.warnings) findings.warn(value.at, 'MISLEADING', name, warning);
    // A text without variables stays text, even a quoted "2".
    if (outcome.text === value.text) return value;
    const substituted = { ...value, text: outcome.text };
    const cast = castFor(path)?.(substituted);
    if (cast === undefined) return substituted;
    if (cast.kind !== 'wrong') return cast;
    const message = `"${value.text}" became ${describeValue(substituted)} and must become ${cast.expected}`;
    findings.refuse(value.at, 'INTERPOLATION', name, message);
    return { kind: 'unknown', at: value.at };
  }
}

type Substitution =
  | { readonly kind: 'done'; readonly text: string; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string };

const EXPRESSION = '[_a-z][_a-z0-9]*(?::?[-?][^}]*)?';
const PATTERN = new RegExp(
  `\\$(?:(?<escaped>\\$)|(?<named>${EXPRESSION})|\\{(?<braced>${EXPRESSION})\\}|(?<invalid>))`,
  'gi',
);

/**
 * `$NAME`, `${NAME}` and their defaults in one text, with the corners where the CLI reads something else than a person
 * would; each of those is a warning. Facts: docker/cli 28, cli/compose/template.
 */
export function substitute(text: string, lookup: Lookup): Substitution {
  const warnings: string[] = [];
  let failure: { readonly message: string; readonly hint: string } | undefined;
  const replaced = text.replace(PATTERN, (...found) => {
    const { escaped, named, braced } = found.at(-1) as Readonly<Record<string, string | undefined>>;
    if (escaped !== undefined) return escaped;
    const expression = named ?? braced;
    if (expression === undefined) {
      failure = { message: `a $ is not followed by a variable, in "${text}"`, hint: FORMS };
      return '';
    }
    // The CLI forgets a failure as soon as another variable follows in the same text.
    if (failure !== undefined)
      warnings.push(`${failure.message}; the CLI goes on because another variable follows it, and leaves it empty`);
    const outcome = evaluate(expression, lookup);
    warnings.push(...misreadings(expression, braced === undefined));
    failure =
      outcome.kind === 'missing'
        ? { message: outcome.message, hint: `set ${outcome.name} in the environment` }
        : undefined;
    return outcome.kind === 'value' ? outcome.text : '';
  });
  return failure === undefined ? { kind: 'done', text: replaced, warnings } : { kind: 'refused', ...failure };
}

const FORMS =
  'write $$ for a dollar sign; the forms are ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message} and ' +
  '${NAME?message}';

type Outcome =
  | { readonly kind: 'value'; readonly text: string }
  | { readonly kind: 'missing'; readonly name: string; readonly message: string };

const OPERATORS = [':-', '-', ':?', '?'] as const;

/** The first of the operators that occurs anywhere decides, and the name is all that stands before it. */
function evaluate(expression: string, lookup: Lookup): Outcome {
  const operator = OPERATORS.find((each) => expression.includes(each));
  if (operator === undefined) return { kind: 'value', text: lookup(expression) ?? '' };
  const [name, operand] = cut(expression, operator);
  const value = lookup(name);
  const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
  if (isSet) return { kind: 'value', text: value };
  if (operator.endsWith('-')) return { kind: 'value', text: operand ?? '' };
  return { kind: 'missing', name, message: `the variable ${name} must be set${operand ? `: ${operand}` : ''}` };
}

/** @param bare written without braces */
function misreadings(expression: string, bare: boolean): readonly string[] {
  const name = /^[_a-z][_a-z0-9]*/i.exec(expression)?.[0] ?? '';
  const rest = expression.slice(name.length);
  const warnings: string[] = [];
  if (/^:?\?.*-/s.test(rest)) {
    warnings.push(
      `\${${expression}} does not demand ${name}: the "-" in the message makes the CLI read a default; ` +
        'leave it out of the message',
    );
  }
  if (/^-.*:-/s.test(rest)) warnings.push(`\${${expression}} looks for a variable named "${cut(expression, ':-')[0]}"`);
  if (/^:?-.*\$/s.test(rest)) warnings.push(`the default in \${${expression}} is not interpolated`);
  if (bare && rest !== '')
    warnings.push(
      `$${expression} is read as ${name} with an operator after it; write \${${name}} to end the name there`,
    );
  return warnings;
}

/** Turns an interpolated text into a number or a flag, or says what the text should have been. */
type Cast = (text: TextValue) => SourceValue | { readonly kind: 'wrong'; readonly expected: string };

const toInteger: Cast = ({ text, at }) =>
  /^[-+]?\d+$/.test(text)
    ? { kind: 'integer', value: BigInt(text.replace('+', '')), at }
    : { kind: 'wrong', expected: 'a whole number' };

const toFloat: Cast = ({ text, at }) =>
  /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)
    ? { kind: 'float', value: Number(text), at }
    : { kind: 'wrong', expected: 'a number' };

const toFlag: Cast = ({ text, at }) => {
  const word = text.toLowerCase();
  if (['y', 'yes', 'true', 'on'].includes(word)) return { kind: 'flag', value: true, at };
  if (['n', 'no', 'false', 'off'].includes(word)) return { kind: 'flag', value: false, at };
  return { kind: 'wrong', expected: 'true or false' };
};

/** `*` stands for any one key, `[]` for any item of a list. Facts: docker/cli 28, cli/compose/loader/interpolate.go. */
const CASTS: readonly (readonly [string, Cast])[] = [
  ['services.*.configs.[].mode', toInteger],
  ['services.*.secrets.[].mode', toInteger],
  ['services.*.healthcheck.retries', toInteger],
  ['services.*.healthcheck.disable', toFlag],
  ['services.*.deploy.replicas', toInteger],
  ['services.*.deploy.update_config.parallelism', toInteger],
  ['services.*.deploy.update_config.max_failure_ratio', toFloat],
  ['services.*.deploy.rollback_config.parallelism', toInteger],
  ['services.*.deploy.rollback_config.max_failure_ratio', toFloat],
  ['services.*.deploy.restart_policy.max_attempts', toInteger],
  ['services.*.deploy.placement.max_replicas_per_node', toInteger],
  ['services.*.ports.[].target', toInteger],
  ['services.*.ports.[].published', toInteger],
  ['services.*.ulimits.*', toInteger],
  ['services.*.ulimits.*.hard', toInteger],
  ['services.*.ulimits.*.soft', toInteger],
  ['services.*.privileged', toFlag],
  ['services.*.oom_score_adj', toInteger],
  ['services.*.read_only', toFlag],
  ['services.*.stdin_open', toFlag],
  ['services.*.tty', toFlag],
  ['services.*.volumes.[].read_only', toFlag],
  ['services.*.volumes.[].volume.nocopy', toFlag],
  ['networks.*.external', toFlag],
  ['networks.*.internal', toFlag],
  ['networks.*.attachable', toFlag],
  ['volumes.*.external', toFlag],
  ['secrets.*.external', toFlag],
  ['configs.*.external', toFlag],
];

const CAST_PATHS = CASTS.map(([pattern, cast]) => [pattern.split('.'), cast] as const);

/**
 * @param path keys from the top, `[]` for a list item. A key that contains a dot counts as several, as in the CLI:
 * below a service named `a.b` nothing is cast.
 */
export function castFor(path: readonly string[]): Cast | undefined {
  const parts = path.join('.').split('.');
  return CAST_PATHS.find(
    ([pattern]) => pattern.length === parts.length && pattern.every((part, i) => part === '*' || part === parts[i]),
  )?.[1];
}
