/**
 * Whether the plan stays inside its limits. What cannot be known before (bytes, closed loops without think time)
 * workers enforce.
 */

import { formatDuration, formatRate } from '../grammar/format-units.js';
import { peakRate, totalDurationMs } from '../load.js';
import type { LimitsPlan, ProfilePlan, StagePlan } from '../plan.js';
import type { Part } from './context.js';

export function checkLimits(
  profiles: readonly ProfilePlan[],
  stages: readonly StagePlan[],
  limits: LimitsPlan,
  scenario: Part,
): void {
  const exceeded = (key: string, path: string, asked: string, limit: string) => {
    const at = scenario.has(['limits', key]) ? ['limits', key] : [path];
    scenario.wrongKey(
      at,
      'LIMIT_EXCEEDED',
      `the scenario asks for ${asked}; the limit is ${limit}`,
      `if this is meant, raise limits.${key}`,
    );
  };
  const clients = profiles.reduce((sum, profile) => sum + profile.clients, 0);
  if (clients > limits.clients) exceeded('clients', 'workload', `${clients} clients`, String(limits.clients));
  const rates = stages.map((stage) => profiles.reduce((sum, profile) => sum + (peakRate(stage, profile) ?? 0), 0));
  const rate = Math.max(...rates);
  if (rate > limits.ratePerSecond * (1 + 1e-9))
    exceeded('rate', 'workload', formatRate(rate), formatRate(limits.ratePerSecond));
  const durationMs = totalDurationMs({ stages });
  if (durationMs > limits.durationMs)
    exceeded('duration', 'stages', formatDuration(durationMs), formatDuration(limits.durationMs));
}
