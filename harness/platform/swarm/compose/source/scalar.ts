/**
 * What an unquoted YAML scalar means to Go's yaml.v3 (neither YAML 1.1 nor 1.2: `yes` is text, `017` is 15, `1_000` is
 * 1000, `2020-01-01` is a date). Facts: gopkg.in/yaml.v3, resolve.go.
 */
import { goTime } from './time.js';

export type Scalar =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'time'; readonly text: string }
  | { readonly kind: 'null' };

const WORDS = new Map<string, Scalar>([
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
  const word = WORDS.get(text);
  if (word !== undefined) return word;
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
 * Go's base 0: a leading `0` is octal, `0x`, `0b` and `0o` name their base; what does not fit 64 bits is no integer.
 */
function integer(text: string): bigint | undefined {
  const { sign, body } = /^(?<sign>[-+]?)(?<body>.*)$/s.exec(text)?.groups ?? {};
  if (body === undefined || !/^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.test(body)) return undefined;
  const magnitude = BigInt(/^0\d/.test(body) ? `0o${body.slice(1)}` : body);
  const value = sign === '-' ? -magnitude : magnitude;
  return value < INT64_MIN || value > UINT64_MAX ? undefined : value;
}
