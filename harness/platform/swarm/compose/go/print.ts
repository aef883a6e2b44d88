/**
 * Values as Go's `%v` prints them, which is how numbers reach labels, variables and options. Facts:
 * strconv.FormatFloat, 'g', -1.
 */
import type { SourceValue } from '../source/value.js';

/** Text of a value; undefined for nothing, lists and maps, which are never printed. */
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

/** The shortest digits that read back the same; with an exponent when it is below -4 or above 5. */
export function printedFloat(value: number): string {
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent > 5)
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return Object.is(value, -0) ? '-0' : value.toString();
}
