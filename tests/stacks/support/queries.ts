import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardQueries, filledIn, rulesIn } from '../../support/monitoring/queries.js';
import { packageRoot } from '../../support/package-root.js';
import { type OwnStack, seriesCount } from '../../support/swarm/own-stack.js';

const EVERY_MS = 2_000;

/** Queries of dashboards, rules and alerts for which Prometheus has nothing now. */
export async function queriesWithoutData(stack: OwnStack): Promise<readonly string[]> {
  const { recorded, alerts } = rulesIn(
    readFileSync(join(packageRoot, 'monitoring', 'prometheus', 'alerts.yml'), 'utf8'),
  );
  const queries = [...dashboardQueries(), ...recorded, ...alerts];
  const counts = await Promise.all(queries.map(({ expr }) => seriesCount(stack, filledIn(expr, stack.name))));
  return queries.filter((_, index) => counts[index] === 0).map(({ where, expr }) => `${where}: ${expr}`);
}

/** Looks again until it finds nothing. @returns [], or what it found last when `withinMs` were over */
export async function untilNothing(
  what: string,
  find: () => Promise<readonly string[]>,
  withinMs: number,
): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await find().catch((error: unknown) => [`${what}: ${String(error)}`]);
    if (found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
