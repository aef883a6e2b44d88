/** The number as a 32-bit float is written: the shortest decimal that reads back as the same 32 bits. */
export function float32(value: number): number {
  const rounded = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const shorter = Number(rounded.toPrecision(digits));
    if (Math.fround(shorter) === rounded) return shorter;
  }
  return rounded;
}
