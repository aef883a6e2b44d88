import type { MetricUnit } from './metrics.js';
import { bytesPer, millisecondsPer, secondsPer } from './units.js';

export type ParsedNumber =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly message: string; readonly hint: string };

interface UnitRule {
  readonly what: string;
  /** Factor to the metric's base unit by unit as written; '' is no unit. */
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
export function parseNumber(amount: string, unit: string, kind: MetricUnit): ParsedNumber {
  const rule = rules[kind];
  const factor = Object.hasOwn(rule.factors, unit.replaceAll(' ', ''))
    ? rule.factors[unit.replaceAll(' ', '')]
    : undefined;
  const hint = `this metric is ${rule.what}, such as ${rule.example}`;
  if (factor === undefined) {
    return {
      ok: false,
      message: unit === '' ? `\`${amount}\` has no unit` : `\`${unit}\` is not a unit of ${rule.what}`,
      hint,
    };
  }
  const value = Number((Number(amount) * factor).toPrecision(15));
  if (value < 0) return { ok: false, message: `\`${amount}\` is negative: nothing measured ever is`, hint };
  if (kind === 'ratio' && unit === '' && value > 1)
    return { ok: false, message: `\`${amount}\` is more than all there is`, hint: `did you mean ${amount}%?` };
  if (kind === 'count' && !Number.isInteger(value))
    return { ok: false, message: `\`${amount}\` is not a whole number`, hint };
  return { ok: true, value };
}
