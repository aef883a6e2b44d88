/** Amounts of memory: `512m`, `1.5g`, `64 KiB`; units are powers of 1024. Facts: docker/go-units, RAMInBytes. */

const FACTORS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 };

/** Bytes, rounded down, or undefined when `text` is no size. */
export function parseSize(text: string): number | undefined {
  const { number = '', suffix = '' } =
    /^(?<number>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?) ?(?<suffix>[a-z]*)$/i.exec(text)?.groups ?? {};
  if (number === '' || Number(number) < 0) return undefined;
  const unit = suffix.toLowerCase();
  if (unit === '' || unit === 'b') return Math.trunc(Number(number));
  const factor = FACTORS[unit.charAt(0)];
  return factor === undefined || !['', 'b', 'ib'].includes(unit.slice(1))
    ? undefined
    : Math.trunc(Number(number) * factor);
}
