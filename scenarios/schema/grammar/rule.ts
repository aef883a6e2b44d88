/** A rule of a comparison, `METRIC[{label="value",...}] SIGN NUMBER UNIT [and SIGN NUMBER UNIT]`. */
import type { RulePlan } from '../plan.js';
import { type LabelValues, parseSelector, type Selector } from './check.js';
import type { TextProblem } from './template.js';
import { millisecondsPer, secondsPer } from './units.js';

type ParsedRule =
  | { readonly ok: true; readonly rule: RulePlan }
  | { readonly ok: false; readonly problem: TextProblem };

const example = 'such as latency.p95 +10% and +2ms, throughput -5%, or errors.rate +0.5pp';

/** The metrics that two runs can be compared by, and in which direction they get worse. */
const comparable: Readonly<Record<string, RulePlan['worse']>> = {
  latency: 'higher',
  service: 'higher',
  connect: 'higher',
  throughput: 'lower',
  delivered: 'lower',
  'errors.rate': 'higher',
};
const comparableLabels: readonly string[] = ['stage', 'profile', 'operation'];

export function parseRule(source: string, known: LabelValues): ParsedRule {
  const [, head = '', tail = ''] = /^((?:[^"+\-−]|"[^"]*")*)([\s\S]*)$/.exec(source) ?? [];
  const refuse = (offset: number, message: string, hint = example): ParsedRule => ({
    ok: false,
    problem: { offset, message, hint },
  });
  const parsed = parseSelector(head, known);
  if (!parsed.ok) return parsed;
  const { selector } = parsed;
  const family = familyOf(selector.metric);
  const worse = comparable[family];
  if (worse === undefined)
    return refuse(
      0,
      `runs are not compared by \`${selector.metric}\``,
      `by ${Object.keys(comparable).join(', ')}; latency, service and connect with a statistic`,
    );
  if (selector.metric.endsWith('.max'))
    return refuse(0, `\`${selector.metric}\` is a single operation, which decides nothing`, `use ${family}.p99`);
  const label = Object.keys(selector.labels).find((name) => !comparableLabels.includes(name));
  if (label !== undefined || (family === 'connect' && Object.keys(selector.labels).length > 0))
    return refuse(
      head.indexOf('{'),
      `runs are not compared by \`${selector.text}\``,
      family === 'connect' ? 'connect has no labels here' : `its labels are ${comparableLabels.join(', ')}`,
    );
  if (tail === '') return refuse(source.length, 'by how much must it be worse?');
  const parts = [...tail.matchAll(/([+\-−])\s*(\d+(?:\.\d+)?)\s*([^\s\d+\-−]*(?:\s*\/\s*[a-z]+)?)(\s+and\s+|\s*$|)/gu)];
  const read = parts.map((part) => part[0]).join('');
  if (read !== tail || parts.length > 2 || parts.some(([, , , , next], at) => isOpen(next, at, parts.length)))
    return refuse(head.length, `\`${tail.trim()}\` is not how much worse it must be`);
  const sign = worse === 'higher' ? '+' : '-';
  const found: { relative?: number; absolute?: number } = {};
  const texts: string[] = [];
  for (const [, written = '', amount = '', unit = ''] of parts) {
    if (written.replace('−', '-') !== sign)
      return refuse(head.length, `\`${selector.metric}\` is worse when it is ${worse}: the sign is ${sign}`);
    const value = partOf(selector, Number(amount), unit.replaceAll(' ', ''));
    if (value === undefined)
      return refuse(head.length, `\`${unit}\` is not a unit of a change of \`${selector.metric}\``);
    if (found[value.kind] !== undefined) return refuse(head.length, `both parts are ${value.kind}`);
    found[value.kind] = value.value;
    texts.push(`${sign}${amount}${unit.replaceAll(' ', '')}`);
  }
  if ((found.relative ?? 0) === 0 && (found.absolute ?? 0) === 0)
    return refuse(
      head.length,
      'a change of 0 is found in any two runs',
      `give the smallest change that matters, ${example}`,
    );
  const { text, metric, labels } = selector;
  return { ok: true, rule: { text: `${text} ${texts.join(' and ')}`, metric, labels, worse, ...found } };
}

/** `latency` of `latency.p95`; the metric itself where it has no statistic. */
export function familyOf(metric: string): string {
  return comparable[metric] === undefined ? metric.slice(0, Math.max(0, metric.lastIndexOf('.'))) : metric;
}

/** An `and` without a part after it, or a part after another without `and`. */
function isOpen(next: string | undefined, at: number, count: number): boolean {
  const joins = /and/.test(next ?? '');
  return at === count - 1 ? joins : !joins;
}

function partOf(
  { unit }: Selector,
  amount: number,
  written: string,
): { readonly kind: 'relative' | 'absolute'; readonly value: number } | undefined {
  if (written === '%') return { kind: 'relative', value: tidy(amount / 100) };
  if (unit === 'ratio') return written === 'pp' ? { kind: 'absolute', value: tidy(amount / 100) } : undefined;
  const factors: Readonly<Record<string, number>> =
    unit === 'time'
      ? millisecondsPer
      : Object.fromEntries(Object.entries(secondsPer).map(([name, seconds]) => [`/${name}`, 1 / seconds]));
  const factor = Object.hasOwn(factors, written) ? factors[written] : undefined;
  return factor === undefined ? undefined : { kind: 'absolute', value: tidy(amount * factor) };
}

/** Removes what binary floating point adds: 0.5 % is 0.005. */
function tidy(value: number): number {
  return Number(value.toPrecision(15));
}
