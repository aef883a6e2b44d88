import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import type { FaultInjector } from '../../platform/platform.js';

/**
 * Changes a file instead of a stack, so that what a killed controller did can be seen: a line an order, and after
 * `inject` how many `fault.started` the run's log held at that moment.
 */
export function fakeInjector(
  file: string,
  runFolder: () => string,
  failing: 'look' | 'inject' | undefined = undefined,
): FaultInjector {
  const order = (what: string): void => appendFileSync(file, `${what}\n`);
  const logged = (): number =>
    readFileSync(join(runFolder(), 'events.jsonl'), 'utf8').split('"fault.started"').length - 1;
  const fail = (at: typeof failing): void => {
    if (failing === at) throw new Error(`no ${at} today`);
  };
  return {
    look: async ({ service, replicas }: FaultPlan) => {
      fail('look');
      return { words: `${service}: 1 to ${replicas} replicas`, before: { replicas: 1 } };
    },
    inject: async ({ id, replicas }) => {
      order(`${id} ${replicas} logged ${logged()}`);
      fail('inject');
    },
    undo: async ({ id }, { before }) => order(`${id} back to ${String(before.replicas)}`),
    effect: async ({ replicas }, _subject, phase) => {
      const there = phase === 'injected' ? replicas : 1;
      return {
        settled: true,
        replicas: Array.from({ length: there }, (_, index) => ({
          id: `mcp-server.${index + 1}`,
          node: 'n',
          url: `http://10.0.0.${index + 1}/mcp`,
          slot: index + 1,
          task: `task${index + 1}`,
        })),
      };
    },
  };
}
