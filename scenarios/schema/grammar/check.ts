/** `METRIC[{label="value",...}] OP NUMBER[UNIT]` into a Check: parsed and type-checked before the run. */
import { suggest } from '../nearest.js';
import type { Check, Comparison } from '../plan.js';
import { parseNumber } from './check-value.js';
import type { Label, Metric } from './metrics.js';
import { findMetric } from './metrics.js';
import type { TextProblem } from './template-parser.js';
import type { Token, TokenKind } from './tokens.js';
import { tokenise } from './tokens.js';

/** The values a label may have in this scenario; what is not in here is not checked. */
export type LabelValues = Readonly<Partial<Record<Label, readonly string[]>>>;

export type ParsedCheck =
  | { readonly ok: true; readonly check: Check }
  | { readonly ok: false; readonly problem: TextProblem };

const shape = 'METRIC{label="value"} OP NUMBER UNIT, such as latency.p95{stage="peak"} < 200ms';

export function parseCheck(source: string, known: LabelValues): ParsedCheck {
  const tokens = tokenise(source);
  if (!tokens.ok) return { ok: false, problem: { offset: tokens.offset, message: tokens.message, hint: shape } };
  try {
    return { ok: true, check: new CheckParser(source, tokens.tokens, known).parse() };
  } catch (error) {
    if (error instanceof CheckError) return { ok: false, problem: error.problem };
    throw error;
  }
}

class CheckError extends Error {
  constructor(readonly problem: TextProblem) {
    super(problem.message);
  }
}

class CheckParser {
  private next = 0;

  constructor(
    private readonly source: string,
    private readonly tokens: readonly Token[],
    private readonly known: LabelValues,
  ) {}

  parse(): Check {
    const name = this.take('word', 'a metric');
    const metric = this.metric(name);
    const labels = this.peek()?.kind === '{' ? this.labels(name.value, metric) : {};
    const comparison = this.take('operator', 'one of < <= > >= == !=').value as Comparison;
    const number = this.take('number', 'a number');
    const rest = this.source.slice(number.offset + number.value.length).trim();
    const value = parseNumber(number.value, rest, metric.unit);
    if (!value.ok) this.fail(number.offset, value.message, value.hint);
    const narrowed = Object.entries(labels)
      .map(([label, wanted]) => `${label}="${wanted}"`)
      .join(',');
    const text = `${name.value}${narrowed === '' ? '' : `{${narrowed}}`} ${comparison} ${number.value}${rest.replaceAll(' ', '')}`;
    return { text, metric: name.value, labels, comparison, value: value.value };
  }

  private metric(name: Token): Metric {
    const found = findMetric(name.value, suggest);
    if (!found.ok) this.fail(name.offset, found.message, found.hint);
    if (found.metric.notBuilt !== undefined)
      this.fail(name.offset, `\`${name.value}\` cannot be checked: ${found.metric.notBuilt}`);
    return found.metric;
  }

  private labels(name: string, metric: Metric): Check['labels'] {
    const labels: Partial<Record<Label, string>> = {};
    do {
      this.next += 1;
      const label = this.take('word', 'a label');
      const fits = metric.labels.find((candidate) => candidate === label.value);
      if (fits === undefined)
        this.fail(
          label.offset,
          `\`${name}\` has no label \`${label.value}\``,
          suggest(label.value, metric.labels, 'labels'),
        );
      if (labels[fits] !== undefined) this.fail(label.offset, `\`${fits}\` is given twice`);
      this.take('=', '`=`');
      const value = this.take('text', 'a value in double quotes');
      this.checkValue(fits, value);
      labels[fits] = value.value;
    } while (this.peek()?.kind === ',');
    const end = this.take('}', '`,` or `}`');
    const apart =
      labels.replica === undefined
        ? undefined
        : (['operation', 'category'] as const).find((label) => labels[label] !== undefined);
    if (apart !== undefined)
      this.fail(
        end.offset,
        `\`${name}\` is kept by replica or by ${apart}, not by both`,
        `leave out \`replica\` or \`${apart}\``,
      );
    return labels;
  }

  private checkValue(label: Label, value: Token): void {
    if (label === 'category') {
      if (!categories.test(value.value))
        this.fail(value.offset, `no error category is named \`${value.value}\``, categoryHint);
      return;
    }
    const values = this.known[label];
    if (values !== undefined && !values.includes(value.value)) {
      this.fail(value.offset, `no ${label} is named \`${value.value}\``, suggest(value.value, values, `${label}s`));
    }
  }

  private peek(): Token | undefined {
    return this.tokens[this.next];
  }

  private take(kind: TokenKind, expected: string): Token {
    const token = this.peek();
    if (token?.kind !== kind) {
      const found = token === undefined ? 'the end' : `\`${token.value}\``;
      this.fail(token?.offset ?? this.source.length, `expected ${expected}, found ${found}`, shape);
    }
    this.next += 1;
    return token;
  }

  private fail(offset: number, message: string, hint?: string): never {
    throw new CheckError(hint === undefined ? { offset, message } : { offset, message, hint });
  }
}

/** The categories of failures; `http_` and `rpc_` carry a number; `lost` is an operation that nothing ever answered. */
const categories =
  /^(?:connect|timeout|http_\d{3}|session_lost|rpc_-?\d+|tool_error|expectation|protocol_violation|stream_lost|aborted_by_us|provoked_by_us|lost)$/;
const categoryHint =
  'categories: connect, timeout, http_<status>, session_lost, rpc_<code>, tool_error, expectation, protocol_violation, stream_lost, aborted_by_us, provoked_by_us, lost';
