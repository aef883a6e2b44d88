import type { Plan } from '../../../scenarios/schema/index.js';
import { CliError } from '../cli-error.js';

/** Operations a second of a plan at full load. @throws CliError USAGE for a plan whose rate is not its own to set */
export function rateOf(plan: Plan): number {
  const closed = plan.profiles.filter(({ arrivals }) => arrivals.model === 'closed').map(({ name }) => name);
  if (closed.length > 0) {
    throw new CliError({
      code: 'USAGE',
      message: `${plan.scenario}: a capacity search sets rates, and ${closed.join(', ')} has none (thinkTime)`,
      hint: 'give it arrivals: { rate: 10/s }: a closed loop slows down with its target and never asks for too much',
    });
  }
  if (plan.thresholds.length === 0) {
    throw new CliError({
      code: 'USAGE',
      message: `${plan.scenario}: without thresholds every rate is met`,
      hint: 'say what a rate has to meet: thresholds: [latency.p99 < 100ms, errors.rate < 0.1%]',
    });
  }
  return plan.profiles.reduce(
    (sum, { clients, arrivals }) => sum + (arrivals.model === 'open' ? clients * arrivals.ratePerSecond : 0),
    0,
  );
}

/** Overrides that bring all profiles together to `ratePerSecond`, each keeping its share. */
export function setsFor(plan: Plan, ratePerSecond: number): readonly string[] {
  const factor = ratePerSecond / rateOf(plan);
  return plan.profiles.flatMap(({ name, arrivals }) =>
    arrivals.model === 'open' ? [`workload.${name}.arrivals.rate=${decimal(arrivals.ratePerSecond * factor)}/s`] : [],
  );
}

/** Without an exponent, which rates are not written with. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}
