/**
 * What an unquoted YAML scalar means to Go's yaml.v3 (neither YAML 1.1 nor 1.2: `yes` is text, `017` is 15, `1_000` is
 * 1000, `2020-01-01` is a date). Facts: gopkg.in/yaml.v3, resolve.go.
 */

export type Scalar =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'flag'; readonly value: boolean }
  /** The text is the date as Go prints it into labels, variables and options. */
  | { readonly kind: 'time'; readonly text: string }
  | { readonly kind: 'null' };

const KEYWORDS = new Map<string, Scalar>([
  ...['true', 'True', 'TRUE'].map((word) => [word, { kind: 'flag', value: true }] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, { kind: 'flag', value: false }] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, { kind: 'null' }] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, { kind: 'float', value: Number.NaN }] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(
    (word) => [word, { kind: 'float', value: Number.POSITIVE_INFINITY }] as const,
  ),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, { kind: 'float', value: Number.NEGATIVE_INFINITY }] as const),
]);

const FLOAT = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

export function resolvePlain(text: string): Scalar {
  const keyword = KEYWORDS.get(text);
  if (keyword !== undefined) return keyword;
  const first = text.charAt(0);
  if (first === '.') return FLOAT.test(text) ? { kind: 'float', value: Number(text) } : { kind: 'text', text };
  if (!/[-+0-9]/.test(first)) return { kind: 'text', text };
  const time = goTime(text);
  if (time !== undefined) return { kind: 'time', text: time };
  const digits = text.replaceAll('_', '');
  const whole = integer(digits);
  if (whole !== undefined) return { kind: 'integer', value: whole };
  return FLOAT.test(digits) ? { kind: 'float', value: Number(digits) } : { kind: 'text', text };
}

/**
 * As Go reads integers: a leading `0` is octal, `0x`, `0b` and `0o` name their base. Undefined for what does not fit
 * into 64 bits.
 */
function integer(text: string): bigint | undefined {
  const { sign, body } = /^(?<sign>[-+]?)(?<body>.*)$/s.exec(text)?.groups ?? {};
  if (body === undefined || !/^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.test(body)) return undefined;
  const magnitude = BigInt(/^0\d/.test(body) ? `0o${body.slice(1)}` : body);
  const value = sign === '-' ? -magnitude : magnitude;
  return value < INT64_MIN || value > UINT64_MAX ? undefined : value;
}

const TIME = new RegExp(
  '^(?<year>\\d{4})-(?<month>\\d{1,2})-(?<day>\\d{1,2})' +
    '((?<separator>[Tt ])(?<hour>\\d{1,2}):(?<minute>\\d{1,2}):(?<second>\\d{1,2})(\\.(?<fraction>\\d{1,9}))?' +
    '(?<zone>Z|[-+]\\d\\d:\\d\\d)?)?$',
);

/**
 * A date or time as Go prints it (`2020-01-01 00:00:00 +0000 UTC`); undefined when `text` is none to yaml.v3. Facts:
 * resolve.go, time.Time.String.
 */
function goTime(text: string): string | undefined {
  const parts = TIME.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const {
    year = '',
    month = '',
    day = '',
    separator,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    zone,
  } = parts;
  // With `T` a zone must follow; with a space none may.
  if (separator !== undefined && (separator === ' ') !== (zone === undefined)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const seconds = `${two(second)}${fraction.replace(/0+$/, '').replace(/^(?=\d)/, '.')}`;
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${seconds} ${zoneText(zone)}`;
}

function zoneText(zone: string | undefined): string {
  const offset = zone === undefined || zone === 'Z' ? '+0000' : zone.replace(':', '');
  return /^[-+]0000$/.test(offset) ? '+0000 UTC' : `${offset} ${offset}`;
}

function two(digits: string): string {
  return digits.padStart(2, '0');
}
