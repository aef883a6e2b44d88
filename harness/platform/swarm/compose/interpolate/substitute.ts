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
