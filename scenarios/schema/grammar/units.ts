/**
 * Quantities as people write them. A parser returns undefined for text that is not its quantity; `explain` says why.
 * Times become milliseconds, rates per second, sizes bytes, percentages fractions.
 */

export type Quantity = 'duration' | 'rate' | 'size' | 'sizeRate' | 'percentage';

const number = String.raw`\d+(?:\.\d+)?`;
const sizeUnit = '(?:B|[kKMGT]B|[KMGT]iB)';

/** The JSON Schema has the same patterns, so editors refuse what the parser refuses. */
export const patterns: Readonly<Record<Quantity, RegExp>> = {
  duration: new RegExp(
    `^(?=.)(?:${number}d)?(?:${number}h)?(?:${number}m(?!s))?(?:${number}s)?(?:${number}ms)?(?:${number}[uµ]s)?$`,
  ),
  rate: new RegExp(`^${number} ?/ ?(?:s|min|h)$`),
  size: new RegExp(`^${number} ?${sizeUnit}$`),
  sizeRate: new RegExp(`^${number} ?${sizeUnit} ?/ ?s$`),
  percentage: new RegExp(`^${number} ?%$`),
};

export const millisecondsPer = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
} as const;
export const secondsPer = { s: 1, min: 60, h: 3600 } as const;
export const bytesPer = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;

interface QuantityHelp {
  readonly noun: string;
  readonly examples: string;
  readonly units: string;
}

const unitsOfSize = 'B; kB, MB, GB, TB by 1000; KiB, MiB, GiB, TiB by 1024';

/** For messages and the reference. */
export const quantities: Readonly<Record<Quantity, QuantityHelp>> = {
  duration: { noun: 'a duration', examples: '30s, 500ms or 1h30m', units: 'd, h, m, s, ms, us; larger units first' },
  rate: { noun: 'a rate', examples: '100/s or 50/min', units: '/s, /min, /h' },
  size: { noun: 'a size', examples: '64 KiB or 10 MB', units: unitsOfSize },
  sizeRate: { noun: 'a speed', examples: '1 KiB/s or 200 B/s', units: `${unitsOfSize}; each followed by /s` },
  percentage: { noun: 'a percentage', examples: '50% or 0.5%', units: '%' },
};

export function parseDuration(text: string): number | undefined {
  if (!patterns.duration.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s|us|µs)/g)) {
    total += Number(amount) * millisecondsPer[unit as keyof typeof millisecondsPer];
  }
  return tidy(total);
}

export function parseRate(text: string): number | undefined {
  if (!patterns.rate.test(text)) return undefined;
  const [amount = '', unit = ''] = text.split('/');
  return Number(amount) / secondsPer[unit.trim() as keyof typeof secondsPer];
}

export function parseSize(text: string): number | undefined {
  return patterns.size.test(text) ? bytes(text) : undefined;
}

export function parseSizeRate(text: string): number | undefined {
  return patterns.sizeRate.test(text) ? bytes(text.replace(/ ?\/ ?s$/, '')) : undefined;
}

export function parsePercentage(text: string): number | undefined {
  return patterns.percentage.test(text) ? tidy(Number.parseFloat(text) / 100) : undefined;
}

/** Why `input` is not this quantity, with examples that are. */
export function explain(quantity: Quantity, input: unknown): string {
  const { noun, examples } = quantities[quantity];
  const example = `such as ${examples}`;
  if (input === null || input === undefined || typeof input === 'object') return `expected ${noun}, ${example}`;
  const written = String(input);
  if (/^-/.test(written)) return `\`${written}\` is negative: expected ${noun}, ${example}`;
  if (/^\d+(\.\d+)?$/.test(written)) return `\`${written}\` has no unit: expected ${noun}, ${example}`;
  if (/\d[,_]\d/.test(written)) return `\`${written}\` has separators between its digits: expected ${noun}, ${example}`;
  const meant = (Object.keys(patterns) as Quantity[]).find((other) => patterns[other].test(written));
  if (meant !== undefined && meant !== quantity)
    return `\`${written}\` is ${quantities[meant].noun}: expected ${noun}, ${example}`;
  return `\`${written}\` is not ${noun}: expected a number and a unit, ${example}`;
}

function bytes(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?) ?(\w+)$/.exec(text) ?? [];
  return tidy(Number(amount) * bytesPer[unit as keyof typeof bytesPer]);
}

/** Removes what binary floating point adds: 0.1 % is 0.001, 1.1 s is 1100 ms. */
function tidy(value: number): number {
  return Number(value.toPrecision(15));
}

/** The text parses to the same value; that holds for the functions below, too. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return ms > 0 && ms < 1 ? `${trim(ms * 1000)}us` : `${trim(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${trim(seconds)}s` : ''}`;
}

export function formatRate(perSecond: number): string {
  return `${trim(perSecond)}/s`;
}

export function formatBytes(bytes: number): string {
  const unit = (['TiB', 'GiB', 'MiB', 'KiB'] as const).find((one) => bytes >= bytesPer[one]) ?? 'B';
  return `${trim(bytes / bytesPer[unit])} ${unit}`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(12)));
}
