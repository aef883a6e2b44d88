/**
 * Shares of a processor as a decimal or a fraction: `0.5`, `1/2`. Facts: math/big Rat.SetString, docker/cli
 * opts.ParseCPUs.
 */

const NANO = 10n ** 9n;

/** Billionths of a processor; undefined when `text` is no number, or finer than a billionth. */
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
  if (under === 0n || (over * NANO) % under !== 0n) return undefined;
  const nano = Number((over * NANO) / under);
  return sign === '-' ? -nano : nano;
}
