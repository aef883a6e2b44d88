/** Numbers as Go and the libraries of the CLI read and print them. */
import type { SourceValue } from '../source/value.js';

/**
 * A value as Go's `%v` prints it, which is how numbers reach labels, variables and options. Undefined for nothing,
 * lists and maps, which are never printed.
 */
export function printed(value: SourceValue): string | undefined {
  switch (value.kind) {
    case 'text':
    case 'time':
      return value.text;
    case 'integer':
    case 'flag':
      return String(value.value);
    case 'float':
      return printedFloat(value.value);
    default:
      return undefined;
  }
}

/**
 * The shortest digits that read back the same, with an exponent when it is below -4 or above 5. Facts:
 * strconv.FormatFloat, 'g', -1.
 */
export function printedFloat(value: number): string {
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent > 5)
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return Object.is(value, -0) ? '-0' : value.toString();
}

/** The number as a 32-bit float is written: the shortest decimal, of at most 9 digits, that reads back the same. */
export function float32(value: number): number {
  const rounded = Math.fround(value);
  let digits = 1;
  while (digits < 9 && Math.fround(Number(rounded.toPrecision(digits))) !== rounded) digits += 1;
  return Number(rounded.toPrecision(digits));
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const DURATION_PART = /(?<whole>\d*)(?<fraction>\.\d*)?(?<unit>ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
const MAX_DURATION_NS = 2 ** 63;

/**
 * Nanoseconds (beyond 2^53, about 104 days, exact for whole seconds only); undefined when `text` is not a duration.
 * Facts: time.ParseDuration.
 */
export function parseDuration(text: string): number | undefined {
  const { sign = '', body = '' } = /^(?<sign>[-+]?)(?<body>.*)$/s.exec(text)?.groups ?? {};
  if (body === '0') return 0;
  if (body === '') return undefined;
  let total = 0;
  DURATION_PART.lastIndex = 0;
  while (DURATION_PART.lastIndex < body.length) {
    const { whole = '', fraction = '', unit = '' } = DURATION_PART.exec(body)?.groups ?? {};
    const scale = DURATION_UNITS[unit];
    if (scale === undefined || (whole === '' && fraction.length < 2)) return undefined;
    total += Number(whole) * scale + Math.trunc(Number(`0${fraction}`) * scale);
  }
  if (total >= MAX_DURATION_NS) return undefined;
  return sign === '-' && total !== 0 ? -total : total;
}

const SIZE_FACTORS: Readonly<Record<string, number>> = {
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/**
 * Bytes of `512m`, `1.5g` or `64 KiB`, with units that are powers of 1024, rounded down; undefined when `text` is not a
 * size. Facts: docker/go-units, RAMInBytes.
 */
export function parseSize(text: string): number | undefined {
  const { number = '', suffix = '' } =
    /^(?<number>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?) ?(?<suffix>[a-z]*)$/i.exec(text)?.groups ?? {};
  if (number === '' || Number(number) < 0) return undefined;
  const unit = suffix.toLowerCase();
  if (unit === '' || unit === 'b') return Math.trunc(Number(number));
  const factor = SIZE_FACTORS[unit.charAt(0)];
  if (factor === undefined || !['', 'b', 'ib'].includes(unit.slice(1))) return undefined;
  return Math.trunc(Number(number) * factor);
}

const NANO_CPUS = 10n ** 9n;

/**
 * Billionths of a processor, from a decimal or a fraction (`0.5`, `1/2`); undefined when `text` is neither, or finer
 * than a billionth. Facts: math/big Rat.SetString, docker/cli opts.ParseCPUs.
 */
export function parseCpus(text: string): number | undefined {
  const fraction = /^(?<sign>[-+]?)(?<over>\d+)\/(?<under>\d+)$/.exec(text)?.groups;
  if (fraction !== undefined)
    return ratio(fraction.sign ?? '', BigInt(fraction.over ?? 0), BigInt(fraction.under ?? 0));
  const decimal = /^(?<sign>[-+]?)(?<whole>\d*)(\.(?<part>\d*))?([eE](?<exponent>[-+]?\d{1,3}))?$/.exec(text)?.groups;
  const { sign = '', whole = '', part = '', exponent = '0' } = decimal ?? {};
  if (whole + part === '') return undefined;
  const shift = Number(exponent) - part.length;
  const digits = BigInt(whole + part);
  return shift >= 0 ? ratio(sign, digits * 10n ** BigInt(shift), 1n) : ratio(sign, digits, 10n ** BigInt(-shift));
}

function ratio(sign: string, over: bigint, under: bigint): number | undefined {
  if (under === 0n || (over * NANO_CPUS) % under !== 0n) return undefined;
  const nano = Number((over * NANO_CPUS) / under);
  return sign === '-' ? -nano : nano;
}
