/** Go's durations. Facts: time.ParseDuration. */

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const PART = /(?<whole>\d*)(?<fraction>\.\d*)?(?<unit>ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
const MAX_NS = 2 ** 63;

/** Nanoseconds (beyond 2^53, about 104 days, exact for whole seconds only), or undefined when `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  const { sign = '', body = '' } = /^(?<sign>[-+]?)(?<body>.*)$/s.exec(text)?.groups ?? {};
  if (body === '0') return 0;
  if (body === '') return undefined;
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const { whole = '', fraction = '', unit = '' } = PART.exec(body)?.groups ?? {};
    const scale = UNITS[unit];
    if (scale === undefined || (whole === '' && fraction.length < 2)) return undefined;
    total += Number(whole) * scale + Math.trunc(Number(`0${fraction}`) * scale);
  }
  if (total >= MAX_NS) return undefined;
  return sign === '-' && total !== 0 ? -total : total;
}
