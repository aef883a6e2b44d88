/** A check, `METRIC[{label="value",...}] OP NUMBER[UNIT]`: parsed and type-checked before the run. */
import { suggest } from '../../yaml/nearest.js';
import type { Check, Comparison } from '../plan.js';
import { findMetric, type Label, type Metric, type MetricUnit } from './metrics.js';
import type { TextProblem } from './template.js';
import { bytesPer, millisecondsPer, secondsPer } from './units.js';

/** The values that labels may have in this scenario. Labels that are missing here are not checked. */
export type LabelValues = Readonly<Partial<Record<Label, readonly string[]>>>;

type ParsedCheck = { readonly ok: true; readonly check: Check } | { readonly ok: false; readonly problem: TextProblem };

const checkExample = 'METRIC{label="value"} OP NUMBER UNIT, such as latency.p95{stage="peak"} < 200ms';

export function parseCheck(source: string, known: LabelValues): ParsedCheck {
  const tokens = tokenise(source);
  if (!tokens.ok) return { ok: false, problem: { offset: tokens.offset, message: tokens.message, hint: checkExample } };
  try {
    return { ok: true, check: new CheckParser(source, tokens.tokens, known).parse() };
  } catch (error) {
    if (error instanceof CheckError) return { ok: false, problem: error.problem };
    throw error;
  }
}

/** A metric with its labels, without a limit: the head of a check, and of a rule of a comparison. */
export interface Selector {
  /** As written, but normalised. */
  readonly text: string;
  readonly metric: string;
  readonly labels: Check['labels'];
  readonly unit: MetricUnit;
}

type ParsedSelector =
  | { readonly ok: true; readonly selector: Selector }
  | { readonly ok: false; readonly problem: TextProblem };

export function parseSelector(source: string, known: LabelValues): ParsedSelector {
  const tokens = tokenise(source);
  if (!tokens.ok) return { ok: false, problem: { offset: tokens.offset, message: tokens.message } };
  try {
    return { ok: true, selector: new CheckParser(source, tokens.tokens, known).parseSelector() };
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
    const text = `${name.value}${labelsText(labels)} ${comparison} ${number.value}${rest.replaceAll(' ', '')}`;
    return { text, metric: name.value, labels, comparison, value: value.value };
  }

  parseSelector(): Selector {
    const name = this.take('word', 'a metric');
    const metric = this.metric(name);
    const labels = this.peek()?.kind === '{' ? this.labels(name.value, metric) : {};
    const more = this.peek();
    if (more !== undefined) this.fail(more.offset, `unexpected \`${more.value}\` after the metric`);
    return { text: `${name.value}${labelsText(labels)}`, metric: name.value, labels, unit: metric.unit };
  }

  private metric(name: Token): Metric {
    const found = findMetric(name.value);
    if (!found.ok) this.fail(name.offset, found.message, found.hint);
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
    if (labels.replica !== undefined) this.refuseBesideReplica(name, labels, end);
    return labels;
  }

  private refuseBesideReplica(name: string, labels: Check['labels'], end: Token): void {
    const other = (['operation', 'category', 'phase', 'fault'] as const).find((label) => labels[label] !== undefined);
    if (other === undefined) return;
    this.fail(
      end.offset,
      `\`${name}\` is measured by replica or by ${other}, not by both`,
      `leave out \`replica\` or \`${other}\``,
    );
  }

  private checkValue(label: Label, value: Token): void {
    if (label === 'category') {
      if (!categoryPattern.test(value.value))
        this.fail(
          value.offset,
          `no error category is named \`${value.value}\``,
          `categories: ${Object.keys(categories).join(', ')}`,
        );
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
      this.fail(token?.offset ?? this.source.length, `expected ${expected}, found ${found}`, checkExample);
    }
    this.next += 1;
    return token;
  }

  private fail(offset: number, message: string, hint?: string): never {
    throw new CheckError(hint === undefined ? { offset, message } : { offset, message, hint });
  }
}

function labelsText(labels: Check['labels']): string {
  const entries = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return entries.length === 0 ? '' : `{${entries.join(',')}}`;
}

/** The categories of failures, with what each means. */
export const categories = {
  connect: 'no connection or no session could be opened',
  timeout: 'no answer within the `timeout` of the profile',
  'http_<status>': 'an HTTP status that is an error, such as `http_503`',
  session_lost: 'the server no longer knows the session',
  'rpc_<code>': 'a JSON-RPC error, such as `rpc_-32602`',
  tool_error: 'a tool result with `isError`',
  expectation: 'an answer that does not fit `expect`',
  protocol_violation: 'an answer that breaks the rules of MCP',
  stream_lost: 'the connection or stream ended before the answer was complete',
  aborted_by_us: 'we closed the connection on purpose (`misbehave`), or the run was stopped',
  exhausted_by_us: 'the machine of a worker had no local port, file or process left for a connection',
  provoked_by_us: 'it failed because we misbehaved on purpose (`misbehave`)',
  lost: 'nothing ever answered',
} as const;

const categoryPattern = new RegExp(
  `^(?:${Object.keys(categories).join('|').replace('<status>', '\\d{3}').replace('<code>', '-?\\d+')})$`,
);

type ParsedNumber =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly message: string; readonly hint: string };

interface UnitRule {
  readonly what: string;
  /** Factor to the metric's base unit for each unit as written; '' is no unit. */
  readonly factors: Readonly<Record<string, number>>;
  readonly example: string;
}

const perSecond = Object.fromEntries(Object.entries(secondsPer).map(([unit, seconds]) => [`/${unit}`, 1 / seconds]));

const rules: Readonly<Record<MetricUnit, UnitRule>> = {
  time: { what: 'a time', factors: millisecondsPer, example: '200ms or 1.5s' },
  perSecond: { what: 'a rate', factors: perSecond, example: '100/s or 50/min' },
  ratio: { what: 'a ratio', factors: { '%': 0.01, '': 1 }, example: '1% or 0.01' },
  cores: { what: 'a share of one core', factors: { '%': 0.01, '': 1 }, example: '80% or 1.5' },
  count: { what: 'a count', factors: { '': 1 }, example: '10' },
  bytes: { what: 'a size', factors: bytesPer, example: '64 KiB' },
};

/** The number of a check in its metric's base unit: milliseconds, per second, fraction, count or bytes. */
function parseNumber(amount: string, unit: string, kind: MetricUnit): ParsedNumber {
  const rule = rules[kind];
  const unitText = unit.replaceAll(' ', '');
  const factor = Object.hasOwn(rule.factors, unitText) ? rule.factors[unitText] : undefined;
  const hint = `this metric is ${rule.what}, such as ${rule.example}`;
  if (factor === undefined) {
    return {
      ok: false,
      message: unit === '' ? `\`${amount}\` has no unit` : `\`${unit}\` is not a unit of ${rule.what}`,
      hint,
    };
  }
  const value = Number((Number(amount) * factor).toPrecision(15));
  if (value < 0) return { ok: false, message: `\`${amount}\` is negative, which no metric ever is`, hint };
  if (kind === 'ratio' && unit === '' && value > 1)
    return {
      ok: false,
      message: `\`${amount}\` is above 100 %; a ratio is between 0 and 1`,
      hint: `did you mean ${amount}%?`,
    };
  if (kind === 'count' && !Number.isInteger(value))
    return { ok: false, message: `\`${amount}\` is not a whole number`, hint };
  return { ok: true, value };
}

type TokenKind = 'word' | 'text' | 'number' | 'operator' | 'unit' | '{' | '}' | '=' | ',';

interface Token {
  readonly kind: TokenKind;
  /** As written; a text stands without its quotes. */
  readonly value: string;
  readonly offset: number;
}

type Tokens =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly offset: number; readonly message: string };

/** Tried in this order: operators come before `=`. */
const tokenPatterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['operator', /(?:<=|>=|==|!=|<|>)/y],
  ['text', /"([^"]*)"/y],
  ['number', /-?\d+(?:\.\d+)?(?![\w.])|-?\d+(?:\.\d+)?(?=[a-zA-Zµ%])/y],
  ['word', /[A-Za-z_][\w.-]*/y],
  ['unit', /%|µs|\/ ?[a-z]+/y],
  ['{', /\{/y],
  ['}', /\}/y],
  ['=', /=/y],
  [',', /,/y],
];

function tokenise(source: string): Tokens {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < source.length) {
    if (/\s/.test(source.charAt(offset))) {
      offset += 1;
      continue;
    }
    const token = tokenAt(source, offset);
    if (token === undefined) return { ok: false, offset, message: unexpected(source, offset) };
    tokens.push(token.token);
    offset = token.end;
  }
  return { ok: true, tokens };
}

function tokenAt(source: string, offset: number): { readonly token: Token; readonly end: number } | undefined {
  for (const [kind, pattern] of tokenPatterns) {
    pattern.lastIndex = offset;
    const match = pattern.exec(source);
    if (match !== null) return { token: { kind, value: match[1] ?? match[0], offset }, end: pattern.lastIndex };
  }
  return undefined;
}

function unexpected(source: string, offset: number): string {
  const character = source.charAt(offset);
  if (character === '"') return 'a `"` without its closing `"`';
  if (character === "'") return "use double quotes for a label's value";
  return `unexpected \`${character}\``;
}
