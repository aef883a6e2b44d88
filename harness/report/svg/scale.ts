/** From values to pixels, with the round numbers to label. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

export function linearScale(from: number, to: number, fromPx: number, toPx: number, leastStep = 0, wanted = 5): Scale {
  const ticks = niceTicks(from, to, wanted, leastStep);
  const low = Math.min(from, ticks[0] ?? from);
  const high = Math.max(to, ticks.at(-1) ?? to);
  return { at: (value) => fromPx + ((value - low) / (high - low)) * (toPx - fromPx), ticks };
}

/** Both bounds above 0; widened to 1, 2 or 5 times a power of ten. */
export function logScale(from: number, to: number, fromPx: number, toPx: number): Scale {
  const low = roundDown(from);
  const high = Math.max(roundUp(to), low * 10);
  const span = Math.log10(high / low);
  const all = logSteps(low, high);
  const decades = all.filter((value) => isPower(value));
  return {
    at: (value) => fromPx + (Math.log10(Math.max(value, low) / low) / span) * (toPx - fromPx),
    ticks: span <= 2.7 || decades.length < 2 ? all : decades,
  };
}

/** Steps of 1, 2 or 5 times a power of ten (Heckbert, Graphics Gems 1990), covering both ends. */
function niceTicks(from: number, to: number, wanted: number, leastStep: number): readonly number[] {
  const step = Math.max(leastStep, niceStep(Math.max(to - from, Number.EPSILON) / wanted));
  const first = Math.floor(from / step + 1e-9);
  const last = Math.ceil(to / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const ratio = rough / power;
  return roundedUp(ratio) * power;
}

/** To 1, 2, 5 or 10. */
function roundedUp(ratio: number): number {
  return [1, 2, 5].find((step) => ratio <= step) ?? 10;
}

/** To 1, 2 or 5. */
function roundedDown(ratio: number): number {
  return [5, 2].find((step) => ratio >= step) ?? 1;
}

function logSteps(low: number, high: number): readonly number[] {
  const steps: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const digit of [1, 2, 5]) {
      const value = Number((digit * 10 ** power).toPrecision(12));
      if (value >= low * 0.999 && value <= high * 1.001) steps.push(value);
    }
  }
  return steps;
}

function isPower(value: number): boolean {
  return Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6;
}

function digitOf(value: number): readonly [digit: number, power: number] {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [value / power, power];
}

function roundDown(value: number): number {
  const [digit, power] = digitOf(value);
  return roundedDown(digit) * power;
}

function roundUp(value: number): number {
  const [digit, power] = digitOf(value);
  return roundedUp(digit) * power;
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Run time in seconds; the axis ends where the run does, not at the next round number. */
export function timeScale(endSeconds: number, fromPx: number, toPx: number, most = 10): Scale {
  const end = Math.max(endSeconds, 1);
  const step = timeSteps.find((candidate) => end / candidate <= most) ?? 86_400;
  return {
    at: (value) => fromPx + (value / end) * (toPx - fromPx),
    ticks: Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step),
  };
}

/** 45 s, 1:30, 1:05:00. */
export function clock(seconds: number, endSeconds: number): string {
  if (endSeconds < 120) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return endSeconds < 3600 ? `${minutes}:${two(rest)}` : `${hours}:${two(minutes)}:${two(rest)}`;
}
