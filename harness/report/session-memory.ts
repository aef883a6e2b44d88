/** What a session costs the target in memory, stage by stage. */

import { takesPart } from '../../scenarios/schema/load.js';
import type { Plan, StagePlan } from '../../scenarios/schema/plan.js';
import type { Aggregate } from '../analysis/contract.js';
import { memoryReturn } from '../analysis/memory-return.js';
import { type SessionMemory, sessionMemory } from '../analysis/session-memory.js';
import type { Report } from './schema.js';

type Row = Report['memory'][number];

/** Sessions have to come or go for a row to say anything. */
const leastSessions = 10;

export function memoryBlock(plan: Plan, aggregate: Aggregate): Report['memory'] {
  return plan.stages
    .filter(({ measured }) => measured)
    .flatMap((stage): Row[] => {
      const profiles = plan.profiles.filter(({ name }) => takesPart(stage, name));
      const how = [...new Set(profiles.map(({ onClose }) => onClose))].join(', ');
      const [open, opened] = [
        sessionMemory(plan, aggregate, [stage.index], 'open'),
        sessionMemory(plan, aggregate, [stage.index], 'opened'),
      ];
      // Sessions that stay are told by those that are open, sessions that come and go by those that ever were.
      const against: Row['against'] = grown(open) > grown(opened) / 2 ? 'open' : 'opened';
      const { samples, fromSessions, toSessions, ...found } = against === 'open' ? open : opened;
      if (toSessions - fromSessions < leastSessions) return [];
      const about = {
        stage: stage.name,
        trial: stage.trial,
        how,
        against,
        fromSessions,
        toSessions,
        samples,
        givenBack: givenBack(plan, aggregate, stage),
      };
      if (found.kind === 'none')
        return [{ ...about, bytesPerSession: null, low: null, high: null, r2: null, why: found.why } satisfies Row];
      const { slope, low, high, r2 } = found.bytes;
      return [{ ...about, bytesPerSession: slope, low, high, r2 } satisfies Row];
    });
}

function grown({ fromSessions, toSessions }: SessionMemory): number {
  return toSessions - fromSessions;
}

function givenBack(plan: Plan, aggregate: Aggregate, stage: StagePlan): Row['givenBack'] {
  const found = memoryReturn(plan, aggregate, stage);
  return found === undefined ? null : { ...found, share: found.share ?? null };
}
